# SPDX-License-Identifier: Apache-2.0
"""Lets frida hook the loop of hook-loop, and answers a line for every line that it is asked.

usage: frida_driver.py HOOK-LOOP LIBRARY

  plain CALLS    ns per call without a hook
  hooked CALLS   ns per call with handlers in C (a CModule) before and after
  batch          us per function of attaching to, and of detaching from, all functions of LIBRARY that were found
"""

import subprocess
import sys

import frida

SCRIPT = """
const pre = Memory.alloc(8), post = Memory.alloc(8);
const cm = new CModule(`
  #include <gum/guminterceptor.h>
  extern volatile unsigned long pre, post;
  void onEnter(GumInvocationContext *ic) { pre++; }
  void onLeave(GumInvocationContext *ic) { post++; }
`, { pre, post });
let listener = null;
rpc.exports = {
  attach(address) { listener = Interceptor.attach(ptr(address), cm); Interceptor.flush(); },
  detach() { listener.detach(); Interceptor.flush(); },
  counts() { return pre.readU64().equals(post.readU64()) ? pre.readU64().toNumber() : 0; },
  batch(addresses) {
    const pointers = addresses.map(a => ptr(a));
    const begin = performanceNow();
    const listeners = [];
    for (const p of pointers) { try { listeners.push(Interceptor.attach(p, cm)); } catch (e) {} }
    Interceptor.flush();
    const middle = performanceNow();
    for (const l of listeners) l.detach();
    Interceptor.flush();
    return [listeners.length, middle - begin, performanceNow() - middle];
  },
};
const clock = new NativeFunction(Module.getGlobalExportByName('clock_gettime'), 'int', ['int', 'pointer']);
const time = Memory.alloc(16);
function performanceNow() {
  clock(1, time);
  return time.readLong().toNumber() * 1e6 + time.add(8).readLong().toNumber() / 1e3;
}
"""


def main():
    program, library = sys.argv[1:]
    child = subprocess.Popen([program, library], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    target, _, *functions = child.stdout.readline().split()
    session = frida.attach(child.pid)
    script = session.create_script(SCRIPT)
    script.load()
    calls = script.exports_sync
    print(f"ready {frida.__version__}", flush=True)
    seen = 0
    for line in sys.stdin:
        words = line.split()
        if words[0] == "batch":
            count, attach, detach = calls.batch(functions)
            answer = f"{count} {attach / count:.3f} {detach / count:.3f}"
        else:
            if words[0] == "hooked":
                calls.attach(target)
            child.stdin.write(words[1] + "\n")
            child.stdin.flush()
            answer = child.stdout.readline().strip()
            if words[0] == "hooked":
                calls.detach()
                seen += int(words[1])
                if calls.counts() != seen:
                    answer = "-1"
        print(answer, flush=True)
    session.detach()
    child.stdin.close()
    child.wait(10)


if __name__ == "__main__":
    main()
