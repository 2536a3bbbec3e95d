# SPDX-License-Identifier: MIT
# The protocols as a library of the host, and every test but those of the
# image: unit programs, packet scripts, packetdrill's interface, rules, fuzzers.

HOST_NET := $(BUILD)/host/libnet.a
FUZZ_NET := $(BUILD)/fuzz/libnet.a
$(HOST_NET): $(call objects,host,$(NET_ROOMS))
	@rm -f $@ && ar rcs $@ $^
$(FUZZ_NET): $(call objects,fuzz,$(NET_ROOMS))
	@rm -f $@ && ar rcs $@ $^

# The world of tests/host, and in it a second stack: the same objects once
# more under a prefix, because the protocols keep static state (stack.h).
define world_rule # flavour
$(BUILD)/$(1)/peer.o: $(call objects,$(1),$(NET_ROOMS)) \
    $(BUILD)/$(1)/tests/host/stack.o $(BUILD)/$(1)/tests/host/invariants.o
	@ld -r -o $$@.merged $$^ && nm -g --defined-only $$@.merged | \
	    awk '{ print $$$$3, "peer_" $$$$3 }' >$$@.names && \
	    objcopy --redefine-syms=$$@.names $$@.merged $$@ && rm $$@.merged
$(BUILD)/$(1)/libworld.a: $(patsubst %.c,$(BUILD)/$(1)/%.o,$(WORLD_FILES)) \
    $(BUILD)/$(1)/peer.o
	@rm -f $$@ && ar rcs $$@ $$^
endef
WORLD_FILES := $(filter-out tests/host/wire%.c tests/host/tap%.c,$(wildcard tests/host/*.c))
$(foreach f,host fuzz bench,$(eval $(call world_rule,$(f))))
HOST_LIBRARIES := $(BUILD)/host/libworld.a $(HOST_NET)
FUZZ_LIBRARIES := $(BUILD)/fuzz/libworld.a $(FUZZ_NET)
group = -Wl,--start-group $(1) -Wl,--end-group

# A test file may name at its head the sources it links besides the protocols,
# and flags of its own:  "test-links: kernel/module.c"  "test-flags: -Ix".
# One look at all files: what stands there becomes words FILE|KIND|WORD.
TEST_WORDS := $(shell awk '/test-(links|flags):/ { \
    kind = /test-links:/ ? "links" : "flags"; sub(/.*test-[a-z]*: */, ""); \
    sub(/\*\//, ""); for (i = 1; i <= NF; i++) \
    print FILENAME "|" kind "|" $$i }' $(wildcard tests/unit/*.c tests/fuzz/*.c))
test_word = $(patsubst $(1)|$(2)|%,%,$(filter $(1)|$(2)|%,$(TEST_WORDS)))

UNIT_TESTS  := $(patsubst tests/unit/%.c,%,$(filter-out tests/unit/support%,$(wildcard tests/unit/*.c)))
UNIT_ALWAYS := $(BUILD)/host/tests/unit/support_criterion.o
# Each program is compiled for one run, and started anew for each of its tests:
# what costs time there is optimisation, unless it has in itself what it tests,
# and to find a place for libraries.
UNIT_FLAGS  := $(HOST_FLAGS) -no-pie -static-libasan -static-libubsan
TEST_INCLUDES := -iquote . -isystem /usr/include

$(BUILD)/host/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,$(HOST_CC),$<)$(HOST_CC) $(HOST_FLAGS) -iquote . -c -o $@ $<
$(BUILD)/fuzz/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,$(CLANG),$<)$(CLANG) $(FUZZ_FLAGS) -iquote . -c -o $@ $<

# What several tests share is compiled once, unless one needs flags of its own.
unit_links = $(if $(strip $2),$1,$(patsubst tests/unit/support_%.c,$(BUILD)/host/tests/unit/support_%.o,$1))

define unit_rule # name
UNIT_FLAGS_$(1) := $$(call test_word,tests/unit/$(1).c,flags)
UNIT_LINKS_$(1) := $$(call unit_links,$$(call test_word,tests/unit/$(1).c,links),$$(UNIT_FLAGS_$(1)))
$(BUILD)/unit/$(1): tests/unit/$(1).c $$(UNIT_LINKS_$(1)) \
    $(UNIT_ALWAYS) $(HOST_LIBRARIES)
	@mkdir -p $$(@D)
	$$(call say,$(HOST_CC),$$<)$(HOST_CC) $(UNIT_FLAGS) $$(if $$(filter-out tests/% $(BUILD)/%,$$(UNIT_LINKS_$(1))),,-O0) -Wno-missing-prototypes -MF $$@.d \
	    $$(UNIT_FLAGS_$(1)) -iquote . -o $$@ $$< $$(UNIT_LINKS_$(1)) $(UNIT_ALWAYS) \
	    $(call group,$(HOST_LIBRARIES)) -lcriterion
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_rule,$(t))))

unit: $(addprefix $(BUILD)/unit/,$(UNIT_TESTS)) ## unit tests alone
	@tools/run-unit $^

# Packet scripts: the runner makes blocking calls on a thread of its own, so
# it has its own way of being idle.
SCRIPT_RUNNER := $(BUILD)/script-runner
$(SCRIPT_RUNNER): $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard tests/script/*.c)) \
    $(HOST_LIBRARIES)
	$(call say,link,$@)$(HOST_CC) $(SANITIZE) -o $@ $(filter %.o,$^) \
	    -Wl,--wrap=platform_idle $(call group,$(HOST_LIBRARIES)) -lpthread
$(BUILD)/host/tests/script/app_world.o: HOST_FLAGS += -Wno-missing-prototypes

script: $(SCRIPT_RUNNER) ## packet scripts alone (T=file or folder chooses)
	@$(SCRIPT_RUNNER) $(or $(T),tests/script)

# The stack behind packetdrill's interface for shared objects, in virtual
# time (docs/packet-scripts.md); and a loader that calls all of it. packetdrill
# loads so that AddressSanitizer refuses; undefined behaviour traps, which needs
# no library of the compiler's beside the tool.
SO_OBJECT := $(BUILD)/libferrule-packetdrill.so
SO_LOADER := $(BUILD)/packetdrill-loader
SO_FLAGS  := $(COMMON) -O1 -fPIC -fvisibility=hidden -D_GNU_SOURCE \
             -fsanitize=undefined -fsanitize-undefined-trap-on-error
SO_FILES  := $(addprefix tests/host/,world.c link.c capture.c device.c \
             stack.c) \
             tests/script/lan.c tests/script/checksum.c \
             $(filter-out tests/packetdrill/loader%,$(wildcard tests/packetdrill/*.c))
$(foreach r,$(NET_ROOMS),$(eval $(call compile_rule,so,$(r),c,$(HOST_CC),$(SO_FLAGS))))
$(BUILD)/so/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,$(HOST_CC),$<)$(HOST_CC) $(SO_FLAGS) -Wno-missing-prototypes -iquote . -c -o $@ $<
$(SO_OBJECT): $(call objects,so,$(NET_ROOMS)) $(patsubst %.c,$(BUILD)/so/%.o,$(SO_FILES))
	$(call say,link,$@)$(HOST_CC) -shared -Wl,-Bsymbolic \
	    -Wl,--wrap=platform_idle -Wl,-z,defs -o $@ $^ -lpthread
$(SO_LOADER): $(patsubst %.c,$(BUILD)/so/%.o,$(wildcard tests/packetdrill/loader*.c))
	$(call say,link,$@)$(HOST_CC) -o $@ $^ -ldl -lpthread

# Our player of packet scripts in packetdrill's place, before that object.
SO_PLAYER := $(BUILD)/packetdrill-player
$(SO_PLAYER): $(patsubst %.c,$(BUILD)/so/%.o, \
    $(filter-out %_world.c %/lan.c,$(wildcard tests/script/*.c)) \
    $(wildcard tests/packetdrill/player/*.c))
	$(call say,link,$@)$(HOST_CC) -o $@ $^ -ldl -lpthread

packetdrill-so: $(SO_OBJECT) $(SO_LOADER) ## the stack as a shared object for packetdrill
	@$(SO_LOADER) $(abspath $(SO_OBJECT))

script-so: $(SO_OBJECT) $(SO_PLAYER) ## packet scripts through that object (T=file or folder chooses)
	@PACKETDRILL_SO=$(abspath $(SO_OBJECT)) $(SO_PLAYER) $(or $(T),tests/script)

JUDGE_PROGRAM := $(BUILD)/unit/judge
judge: $(JUDGE_PROGRAM) ## random calls and segments before the judge (SEEDS=1000)
	@JUDGE_SEEDS=$(or $(SEEDS),1000) JUDGE_FIRST=$(or $(FIRST),1) UNIT_SECONDS=36000 tools/run-unit $<

chaos: $(BUILD)/unit/tcp_chaos ## sockets dropped at random (SECONDS=600 of virtual time)
	@CHAOS_SECONDS=$(or $(SECONDS),600) UNIT_SECONDS=36000 tools/run-unit $<

failures: $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/failure_*.c)) ## memory that fails at every single request
	@FAILURE_EVERY=1 UNIT_SECONDS=36000 tools/run-unit $^

# Rules at work on packets from a script (tests/rules/run compares Linux's).
$(BUILD)/filter-verdicts: $(BUILD)/host/tests/rules/verdicts.o $(HOST_LIBRARIES)
	$(call say,link,$@)$(HOST_CC) $(SANITIZE) -o $@ $< $(call group,$(HOST_LIBRARIES))

rules: $(BUILD)/filter-verdicts ## rule files in ferrule and in Linux (T='--packets 10000')
	@tests/rules/run --build $(BUILD) $(T)

FUZZERS      := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
FUZZ_SECONDS ?= 60
define fuzz_rule # name
FUZZ_LINKS_$(1) := $$(call test_word,tests/fuzz/$(1).c,links)
FUZZ_FLAGS_$(1) := $$(call test_word,tests/fuzz/$(1).c,flags)
$(BUILD)/fuzz/$(1): tests/fuzz/$(1).c $$(FUZZ_LINKS_$(1)) $(FUZZ_LIBRARIES)
	@mkdir -p $$(@D)
	$$(call say,$(CLANG),$$<)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer -Wno-missing-prototypes \
	    -MF $$@.d $$(FUZZ_FLAGS_$(1)) -iquote . -o $$@ $$< $$(FUZZ_LINKS_$(1)) \
	    $(call group,$(FUZZ_LIBRARIES))
endef
$(foreach t,$(FUZZERS),$(eval $(call fuzz_rule,$(t))))

fuzz: $(addprefix $(BUILD)/fuzz/,$(FUZZERS)) ## every fuzzer for FUZZ_SECONDS in all (60)
	@tools/run-fuzz $(FUZZ_SECONDS) $^
