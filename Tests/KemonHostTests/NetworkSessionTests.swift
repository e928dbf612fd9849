// SPDX-License-Identifier: Apache-2.0

import Foundation
import KemonTestSupport
import Testing

/// Sessions about the network, played by the program.
@Suite struct NetworkSessionTests {
  @Test(arguments: ["2018", "2019"])
  func `the query of the slide gives its lines and its dump`(dialect: String) throws {
    let host = try Host(plugins: ["event-log"])
    let result = try host.run(
      "run", "--session", "dns-query", "--plugins", host.plugins, "--dialect", dialect, "--quiet")
    #expect(result.status == 0, "\(result.errors)")
    let golden = try Checkout.golden("dialect-\(dialect)-dns-query.txt")
    #expect(result.output.contains(golden), "\(result.output)")
    let detach = try #require(
      result.output.split(separator: "\n").first { $0.contains("duration=") })
    #expect(detach.contains(dialect == "2018" ? "seconds, <UDP> " : "action=UDP_IPV4_DETACH, "))
    #expect(detach.contains("localhost:10863-->192.168.1.1:53, uid=501, process(pid 2612)="))
    #expect(detach.hasSuffix(", in=0 packets, 0 bytes, out=1 packets, 45 bytes."))
  }

  private func play(_ session: String, _ arguments: String...) throws -> Command.Result {
    let host = try Host(plugins: ["event-log"])
    let file = try host.scratch.write(session, to: "session.json")
    return try Command(built: "kemon-host").run(
      ["run", "--session", file, "--plugins", host.plugins, "--verbose"] + arguments)
  }

  private static let processes = """
    "processes": [
      {"pid": 80, "uid": 0, "comm": "httpd", "parent": "launchd"},
      {"pid": 700, "ppid": 500, "uid": 501, "comm": "curl", "parent": "bash"}],
    """

  @Test func `every step about sockets does what it says`() throws {
    let result = try play(
      """
      {"name": "web", \(Self.processes)
       "hosts": [{"address": "203.0.113.5", "ether": "02:00:00:00:00:05", "services": [
         {"type": "tcp", "port": 80, "replies": ["HTTP/1.0 200 OK"]},
         {"type": "udp", "port": 53, "reply_bytes": ["0102"]}]}],
       "interfaces": [{"address": "198.51.100.7", "ether": "02:00:00:00:00:07"}],
       "steps": [
        {"socket": {"socket": "server", "type": "tcp", "as": "httpd"}},
        {"bind": {"socket": "server", "address": "127.0.0.1", "port": 8080, "as": "httpd"}},
        {"listen": {"socket": "server", "as": "httpd"}},
        {"socket": {"socket": "client", "type": "tcp", "as": "curl"}},
        {"connect": {"socket": "client", "address": "127.0.0.1", "port": 8080, "as": "curl"}},
        {"accept": {"socket": "server", "connection": "peer", "as": "httpd"}},
        {"send": {"socket": "client", "text": "GET /", "as": "curl"}},
        {"receive": {"socket": "peer", "as": "httpd"}},
        {"close_socket": {"socket": "client", "as": "curl"}},
        {"receive": {"socket": "peer", "as": "httpd"}},
        {"receive": "nothing"},
        {"socket": {"socket": "web", "type": "tcp", "as": "curl"}},
        {"connect": {"socket": "web", "address": "203.0.113.5", "port": 80, "as": "curl"}},
        {"send": {"socket": "web", "bytes": "00ff", "as": "curl"}},
        {"receive": "web"},
        {"close_socket": "web"},
        {"dns_query": {"query": "www.example.org", "server": "203.0.113.5", "as": "curl"}},
        {"attach_filter": {"filter": "wall", "type": "tcp", "callback": "connect_out", "answer": "EACCES"}},
        {"socket": {"socket": "late", "type": "tcp", "as": "curl"}},
        {"connect": {"socket": "late", "address": "203.0.113.5", "port": 80, "as": "curl"}},
        {"detach_filter": "wall"},
        {"connect": {"socket": "late", "address": "203.0.113.5", "port": 80, "as": "curl"}},
        {"detach_filter": "wall"}]}
      """)
    #expect(result.status == 0, "\(result.errors)")
    for line in [
      "from 127.0.0.1:", "5 bytes", "end of stream", "15 bytes", "answer of 2 bytes", "EACCES",
      "EBADF", "no socket nothing was made", "ENOENT",
    ] { #expect(result.errors.contains(line), "\(line) in \(result.errors)") }
    let output = result.output
    #expect(output.contains("query=www.example.org."))
    #expect(output.contains("198.51.100.7:"))
    #expect(output.contains("(02:00:00:00:00:07)<->203.0.113.5:80(02:00:00:00:00:05)"))
    #expect(output.contains("NET_CONNECT, 198.51.100.7:") && output.contains("result=EACCES."))
    #expect(output.contains("in=1 packets, 5 bytes, out=0 packets, 0 bytes."))
  }

  @Test func `a MAC policy that denies connecting is asked before anything else`() throws {
    let result = try play(
      """
      {"name": "firewall", "process": {"pid": 700, "uid": 0, "comm": "curl"},
       "hosts": [{"address": "203.0.113.5", "services": [{"type": "tcp", "port": 80}]}],
       "steps": [
        {"register_policy": {"name": "firewall", "full_name": "No connections", "handlers": {
          "mpo_socket_check_connect": {"address": "0xffffff7f80000100", "result": "EACCES"}}}},
        {"watch_policies": {"names": ["firewall"]}},
        {"socket": {"socket": "web", "type": "tcp"}},
        {"connect": {"socket": "web", "address": "203.0.113.5", "port": 80}}]}
      """)
    #expect(result.errors.contains("port=80: EACCES"), "\(result.errors)")
    #expect(result.output.contains("operation=mpo_socket_check_connect, result=EACCES."))
    #expect(!result.output.contains("NET_CONNECT"), "the kernel's function was not called")
  }

  @Test(arguments: [
    (#"{"dns_query": "a..b"}"#, "\"a..b\" is no name: a label has 1 to 63 bytes"),
    (
      #"{"bind": {"socket": "a", "address": "1.2.3", "port": 1}}"#,
      "\"1.2.3\" is no IPv4 or IPv6 address"
    ),
    (#"{"send": {"socket": "a"}}"#, "needed is \"text\" or \"bytes\""),
    (
      #"{"send": {"socket": "a", "text": "x", "port": 5}}"#, "needed is \"address\", too"
    ),
    (#"{"socket": {"socket": "a", "type": "tcp", "family": 5}}"#, "needed is 4 or 6"),
    (
      #"{"attach_filter": {"filter": "a", "type": "tcp", "callback": "bind", "answer": "NO"}}"#,
      "\"NO\" is neither 0 nor the name of an error"
    ),
  ])
  func `what is wrong in a step is said with its place`(step: String, message: String) throws {
    let result = try play(
      """
      {"name": "wrong", \(Self.processes)
       "steps": [
        \(step)]}
      """)
    #expect(result.status == 65)
    #expect(result.errors.contains("session.json:5:"), "\(result.errors)")
    #expect(result.errors.contains(message), "\(result.errors)")
  }
}
