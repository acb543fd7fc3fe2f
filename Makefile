# Two commands matter: `make demo` and `make test`. Everything they need from
# Debian or PyPI they install themselves when run as root, and name otherwise.

# Dependencies are built once for all clones of this user.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/weir/target
VENV ?= $(HOME)/.cache/weir/venv
WEIR := $(CARGO_TARGET_DIR)/debug/weir

.PHONY: demo test check build bpf bench install clean-demo help

help:
	@echo "make demo     real traffic, real flow log records on the screen"
	@echo "make test     all tests (as root: with live traffic in network namespaces)"
	@echo "make check    format, lint, generated files, all tests: what CI runs"
	@echo "make bpf      compile the eBPF programs again (needs clang-14)"
	@echo "make bench    benchmarks; figures go to bench/"
	@echo "make install  build with optimisation and install to /usr/local/bin"

build:
	@tools/setup build
	cargo build --locked --bin weir

demo:
	@tools/setup demo
	cargo build --locked --bin weir
	@echo
	$(WEIR) demo $(DEMO_ARGS)

test:
	@tools/setup test
	tools/test

check:
	@tools/setup check
	tools/check

bpf:
	crates/capture/bpf/build.sh

bench:
	@tools/setup test
	bench/run

install:
	@tools/setup build
	cargo build --locked --release --bin weir
	install -m 755 $(CARGO_TARGET_DIR)/release/weir /usr/local/bin/weir
