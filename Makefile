# Kemon. `make help` lists the targets.
SHELL := /bin/bash
SWIFT ?= swift
SCRATCH ?= .build
# Libraries that others may write to are refused as plugins.
BUILD = umask 022 && $(SWIFT) build --scratch-path $(SCRATCH)
TEST = umask 022 && SWIFT_BACKTRACE=enable=no $(SWIFT) test --scratch-path $(SCRATCH)
# An optimised build of its own, never a stale one, whose machine code a test reads.
HOT_PATHS = $(SCRATCH)-paths
PLUGINS := kext-guard policy-guard dns-watch path-guard event-log
# What instrumented plugins call of the runtime that is linked into the program which loads them.
TSAN_CALLS := external_read external_write external_assign_tag external_register_tag \
  external_register_header ignore_thread_begin ignore_thread_end \
  $(foreach size,2 4 8 16,unaligned_read$(size) unaligned_write$(size))
EXPORT_TSAN := $(foreach call,$(TSAN_CALLS),-Xlinker --export-dynamic-symbol=__tsan_$(call))
SOURCES := Package.swift Sources Tests plugin-sdk Benchmarks/Bus/Package.swift Benchmarks/Bus/Sources \
  Benchmarks/Hooks/Package.swift Benchmarks/Hooks/Sources Benchmarks/Plugins/Package.swift Benchmarks/Plugins/Sources

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install the Debian packages that are missing
	@scripts/setup

# One product after the other: a plain build would build the tools of other packages, too.
define build_products
	@for product in kemon-host $(PLUGINS); do \
	  echo "$(SWIFT) build $(1) --product $$product"; \
	  $(BUILD) $(1) --product $$product || exit 1; \
	done
	@install -d $(SCRATCH)/$(2)/plugins
	@for plugin in $(PLUGINS); do \
	  install -m 0755 $(SCRATCH)/$(2)/lib$$plugin.so $(SCRATCH)/$(2)/plugins/ || exit 1; \
	done
endef

.PHONY: build
build: setup ## Build host and plugins for debugging
	$(call build_products,,debug)

.PHONY: release
release: setup ## Build host and plugins, optimised
	$(call build_products,-c release,release)

.PHONY: demo
demo: build ## Show a driver being kept from starting
	@echo
	$(SCRATCH)/debug/kemon-host --plugins $(SCRATCH)/debug/plugins

.PHONY: test
test: setup ## Run every test
	$(SWIFT) build -c release --scratch-path $(HOT_PATHS) --target KemonBus
	export KEMON_HOT_PATHS=$(abspath $(HOT_PATHS))/release/KemonBus.build && $(TEST)

.PHONY: test-thread
test-thread: setup ## Run every test under ThreadSanitizer
	$(TEST)-thread --sanitize thread $(EXPORT_TSAN)

.PHONY: test-address
test-address: setup ## Run every test under AddressSanitizer
	ASAN_OPTIONS=detect_leaks=0 && export ASAN_OPTIONS && $(TEST)-address --sanitize address

BENCH := Benchmarks/Bus
BENCH_JAVA := $(BENCH)/.build/java
DISRUPTOR := /usr/share/java/disruptor.jar
RECORDINGS := $(or $(KEMON_SHARED),../shared)/recordings

.PHONY: bench-bus
bench-bus: ## Measure the bus beside the queues of others (minutes)
	@scripts/setup $(BENCH)/packages
	@# A package that is reached by its path may have new files, which a plan made before does not know.
	@rm -f $(BENCH)/.build/release.yaml
	$(SWIFT) build -c release --package-path $(BENCH) --product bench-bus
	@install -d $(BENCH_JAVA)
	javac -cp $(DISRUPTOR) -d $(BENCH_JAVA) $(BENCH)/Disruptor/*.java
	@if [ -d $(RECORDINGS) ] && [ -x $(SCRATCH)/debug/kemon-host ] && command -v sqlite3 >/dev/null; then \
	  $(BENCH)/data/update-sizes $(SCRATCH)/debug/kemon-host $(RECORDINGS); \
	fi
	$(BENCH)/.build/release/bench-bus --folder $(BENCH) --java $(BENCH_JAVA) --json Benchmarks/results/bus.json

.PHONY: model
model: ## Search the ring's model with spin (minutes)
	@scripts/setup Model/packages
	Model/check

.PHONY: check
check: ## Check the format of all Swift files
	$(SWIFT) format lint --strict --recursive --parallel $(SOURCES)

.PHONY: abi-lint
abi-lint: setup ## Refuse changes of the SDK's headers that break plugins; scripts/abi-lint --update takes over what was appended
	scripts/abi-lint

.PHONY: reference
reference: ## Write docs/plugins/reference.md from the headers
	scripts/update-reference

# One target after the other, for the modules only.
.PHONY: docs
docs: setup ## Write the documentation of KemonPluginKit to .build/docs, warnings are errors
	$(BUILD) --target KemonPluginKit
	$(BUILD) --target KemonPluginTesting
	scripts/docs $(SCRATCH)/debug/Modules $(SCRATCH)/docs
	@echo "to read it: python3 -m http.server --directory $(SCRATCH)/docs, and http://localhost:8000/documentation/kemonpluginkit"

.PHONY: format
format: ## Format all Swift files
	$(SWIFT) format --in-place --recursive --parallel $(SOURCES)

# What the proof of the hooks needs beside the toolchain: unicorn, capstone and frida from PyPI.
VENV := Benchmarks/.venv
PYTHON := $(VENV)/bin/python
$(VENV)/.ready: Benchmarks/HookCheck/requirements.txt
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

HOOK_LIBRARIES ?= libc.so.6 libm.so.6 libcrypto.so.3 libsqlite3.so.0 \
  $(dir $(shell command -v $(SWIFT)))../lib/swift/linux/libswiftCore.so
HOOK_PROBE := $(SCRATCH)/release/hook-probe
PROBE_FLAGS := -std=gnu17 -O1 -Wall -Wextra -Werror -Iplugin-sdk/include Benchmarks/HookCheck/probe.c

.PHONY: check-hooks
check-hooks: setup $(VENV)/.ready ## Hook every function of five libraries and check the moved code by emulation
	$(BUILD) -c release --product KemonHooks
	$(CC) $(PROBE_FLAGS) -o $(HOOK_PROBE) -L$(SCRATCH)/release -lKemonHooks -Wl,-rpath,$(abspath $(SCRATCH)/release)
	$(CC) $(PROBE_FLAGS) -o $(HOOK_PROBE)-naive Benchmarks/HookCheck/naive.c -lcapstone
	@echo "the control: copying instructions as they are must be found wrong"
	$(PYTHON) Benchmarks/HookCheck/check.py --control --limit 300 --probe $(HOOK_PROBE)-naive libm.so.6 libcrypto.so.3
	$(PYTHON) Benchmarks/HookCheck/check.py --probe $(HOOK_PROBE) --output Benchmarks/results/hook-check.json $(HOOK_LIBRARIES)

.PHONY: stress-hooks
stress-hooks: setup ## Hook and unhook functions for a minute each while 2, 4 and 8 threads call them
	export KEMON_STRESS_SECONDS=$${KEMON_STRESS_SECONDS:-60} && $(TEST) --filter HookStressTests

.PHONY: stress-reload
stress-reload: setup ## Reload a plugin ten thousand times under load and count every event
	export KEMON_STRESS_RELOADS=$${KEMON_STRESS_RELOADS:-10000} && $(TEST) --filter ReloadStressTests

.PHONY: stress-model
stress-model: setup ## Drive all families of the model for a minute while plugins come and go
	export KEMON_STRESS_SECONDS=$${KEMON_STRESS_SECONDS:-60} && $(TEST) --filter LoadStressTests

.PHONY: bench-hooks
bench-hooks: setup $(VENV)/.ready ## Measure hooks beside detours, libffi and frida
	umask 022 && $(SWIFT) build -c release --package-path Benchmarks/Hooks --scratch-path Benchmarks/Hooks/$(SCRATCH)
	Benchmarks/Hooks/$(SCRATCH)/release/bench-hooks --python $(PYTHON) \
	  --driver Benchmarks/Hooks/frida_driver.py --output Benchmarks/results/hooks.json

.PHONY: bench-model
bench-model: release ## Measure the kernel model with and without hooks and plugins
	$(CC) -std=c11 -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -Iplugin-sdk/include \
	  -o $(SCRATCH)/release/noop.so Benchmarks/Kernel/noop.c
	chmod 0755 $(SCRATCH)/release/noop.so
	python3 Benchmarks/Kernel/bench.py --host $(SCRATCH)/release/kemon-host --noop $(SCRATCH)/release/noop.so \
	  --plugins $(SCRATCH)/release/plugins --output Benchmarks/results/model.json

BENCH_PLUGINS := Benchmarks/Plugins/$(SCRATCH)
.PHONY: bench-plugins
bench-plugins: setup ## Measure calls of handlers: bare, through libffi, in process, in a worker, in Python
	umask 022 && $(SWIFT) build -c release --package-path Benchmarks/Plugins --scratch-path $(BENCH_PLUGINS)
	@for plugin in noop typed; do \
	  $(CC) -std=c11 -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -Iplugin-sdk/include \
	    -o $(BENCH_PLUGINS)/$$plugin.so Benchmarks/Plugins/$$plugin.c || exit 1; \
	  chmod 0755 $(BENCH_PLUGINS)/$$plugin.so; \
	done
	$(BENCH_PLUGINS)/release/bench-plugins --plugin $(BENCH_PLUGINS)/noop.so --typed $(BENCH_PLUGINS)/typed.so \
	  $(if $(wildcard /usr/bin/python3),--python Benchmarks/Plugins/python) --output Benchmarks/results/plugins.json

.PHONY: clean
clean: ## Remove what was built
	rm -rf $(SCRATCH) $(HOT_PATHS) $(SCRATCH)-thread $(SCRATCH)-address
