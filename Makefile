# SPDX-License-Identifier: MIT
# ferrule: the whole build on one page. `make help` lists the targets.
#
# Every room (folder) is compiled with an include view: a folder below
# $(BUILD)/view holding links to just what that room may include. An include
# that points upward is therefore "file not found" (docs/design.md).

APP     ?= httpd
BUILD   ?= build
MACHINE ?= pc
NET     ?= user
MEM     ?= 64
NIC     ?= e1000

ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif
NM      ?= $(CROSS_COMPILE)nm
STRIP   ?= $(CROSS_COMPILE)strip
OBJCOPY ?= $(CROSS_COMPILE)objcopy
CLANG   ?= clang-14
HOST_CC ?= gcc

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.SECONDARY:

## ---- who may include whom --------------------------------------------------
BASE_VIEW := net/attributes.h net/account.h net/platform.h net/limits.h net/packet.h \
             net/packet_pieces.h net/buffer.h net/pool.h net/timer.h net/hash.h net/counter.h \
             net/wire
LINK_VIEW := $(BASE_VIEW) net/link net/ip/address.h
IP_VIEW   := $(LINK_VIEW) net/filter net/ip
NETIF_VIEW := net/attributes.h net/platform.h net/limits.h net/packet.h \
              net/buffer.h net/link/netif.h net/ip/address.h \
              net/wire/byteorder.h net/wire/ethernet.h

VIEW_net/wire        := net/wire
VIEW_net/base        := $(BASE_VIEW)
VIEW_net/link        := $(LINK_VIEW)
VIEW_net/filter      := $(LINK_VIEW) net/filter
VIEW_net/ip          := $(IP_VIEW)
VIEW_net/udp         := $(IP_VIEW) net/udp
VIEW_net/tcp         := $(IP_VIEW) net/tcp
VIEW_net/raw         := $(IP_VIEW) net/raw
VIEW_net/service     := $(IP_VIEW) net/udp/udp.h net/tcp/tcp.h net/service
VIEW_net/socket      := $(BASE_VIEW) net/link/netif.h net/ip/address.h \
                        net/ip/ip.h net/udp/udp.h net/tcp/tcp.h \
                        net/raw/raw.h net/service/dns.h net/socket
VIEW_net/top         := net
VIEW_libc/pure       := libc/pure
VIEW_libc/system     := libc/pure libc/system net/socket $(BASE_VIEW) \
                        net/ip/address.h kernel/memory.h kernel/console.h \
                        kernel/clock.h kernel/module.h kernel/report.h \
                        kernel/power.h kernel/attributes.h \
                        kernel/command_line.h
VIEW_drivers/e1000   := kernel/cpu.h kernel/interrupt.h kernel/softirq.h \
                        kernel/pci.h kernel/memory.h kernel/clock.h \
                        kernel/console.h kernel/attributes.h \
                        kernel/command_line.h $(NETIF_VIEW) \
                        drivers/e1000
VIEW_apps            := apps
VIEW_boot            := boot kernel
VIEW_kernel          := kernel boot libc/pure
VIEW_kernel/platform := kernel boot libc/pure net/platform.h net/attributes.h
VIEW_kernel/main     := kernel boot libc/pure net/net.h net/net_router.h \
                        net/net_show.h net/attributes.h net/limits.h \
                        net/filter/firewall.h net/filter/rules.h \
                        net/filter/balance.h \
                        drivers/e1000/e1000.h $(NETIF_VIEW)

ROOMS := net/wire net/base net/link net/filter net/ip net/udp net/tcp \
         net/raw net/service net/socket net/top libc/pure libc/system drivers/e1000 \
         boot kernel kernel/platform kernel/main

## ---- what each room holds --------------------------------------------------
TOP_FILES := net/net.c $(wildcard net/net_*.c)
NET_ROOMS := net/wire net/base net/link net/filter net/ip net/udp net/tcp \
             net/raw net/service net/socket net/top
$(foreach r,$(ROOMS),$(eval FILES_$(r) := $(wildcard $(r)/*.c $(r)/*.S)))
FILES_net/base        := $(filter-out $(TOP_FILES),$(wildcard net/*.c))
FILES_net/top         := $(wildcard $(TOP_FILES))
FILES_kernel/platform := $(wildcard kernel/platform.c)
FILES_kernel/main     := $(wildcard kernel/main*.c)
FILES_kernel          := $(filter-out kernel/platform.c kernel/main%.c,\
                           $(wildcard kernel/*.c kernel/*.S))

APPS      := $(sort $(patsubst apps/%/,%,$(dir $(wildcard apps/*/*.c))) \
                    $(patsubst apps/%.c,%,$(wildcard apps/*.c)))
# The gateway shows its state through httpd's page.
ALSO_gateway := $(filter-out %/main.c,$(wildcard apps/httpd/*.c))
APP_FILES := $(wildcard apps/$(APP)/*.c apps/$(APP).c) $(ALSO_$(APP))

# Parts of the stack that only some apps want: kernel/main_parts_NAME.c says
# what they are, and links them.
PARTS_gateway := router
PARTS         := $(or $(PARTS_$(APP)),none)
OTHER_PARTS   := $(filter-out kernel/main_parts_$(PARTS).c,\
                   $(wildcard kernel/main_parts_*.c))

# printf has floating point where an app's sources have a format with it.
FLOATING    := %[-+ \#0]*[0-9*]*[.]?[0-9*]*[lL]?[fFeEgG]
OTHER_PARTS += libc/system/print_$(if $(shell grep -lE '"[^"]*$(FLOATING)' \
                 $(APP_FILES)),whole,floating).c

ifeq ($(filter help clean format,$(MAKECMDGOALS))$(filter $(APP),$(APPS)),)
$(error APP=$(APP): there is no such app; choose one of: $(APPS))
endif

# A misspelled variable would be obeyed by nobody, without a word.
ifeq ($(MAKELEVEL),0)
$(foreach v,$(.VARIABLES),$(if $(filter command,$(origin $v)),\
  $(if $(shell grep -qws -d skip -e '$v' Makefile tools/* && echo known),,\
    $(warning $v=$($v): there is no such variable; see docs/guide.md))))
endif

## ---- flags -----------------------------------------------------------------
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wundef \
            -Wmissing-prototypes -Wstrict-prototypes -Wswitch-enum -Werror
COMMON   := -std=c17 $(WARNINGS) -g -MMD -MP
# Size first, but for the files that a profile of downloads names
# (docs/measurements.md).
OPTIMISE     ?= -Oz $(SMALL)
OPTIMISE_HOT ?= -O2 $(TIGHT)
HOT := $(addprefix net/,packet packet_pool hash wire/checksum wire/tcp ip/input \
         ip/output link/netif tcp/transmit tcp/rack tcp/send_queue tcp/window \
         tcp/output tcp/receive tcp/scoreboard tcp/span \
         tcp/table ip/forward ip/fib \
         link/ethernet link/neighbour link/qdisc link/qdisc_fq_codel) \
       drivers/e1000/transmit libc/pure/memory \
       $(addprefix net/filter/,register usual flow_table rule_map)
$(HOT:%=$(BUILD)/image/%.o): OPTIMISE = $(OPTIMISE_HOT)
CODE := -ffreestanding \
    -mno-red-zone -mcmodel=kernel -fno-pic -fno-pie -fno-omit-frame-pointer \
    -fno-asynchronous-unwind-tables -fno-strict-aliasing \
    -fno-tree-loop-distribute-patterns \
    -ffunction-sections -fdata-sections -fcf-protection=none \
    -fstack-protector-strong -mstack-protector-guard=global
# Outside the kernel the frame pointer is a register like any other: without it
# a request takes 7 % fewer instructions (kernel/backtrace.c does without).
NO_FRAMES := -fomit-frame-pointer
ifneq ($(findstring clang,$(CC)),)
CODE := $(filter-out -fno-tree-loop-distribute-patterns,$(CODE))
else
# The protocols, the driver and what libc has of them are compiled as one at
# the link: calls between rooms disappear where that is worth it, and arguments
# that are always the same. Each function keeps its file's optimisation. The
# kernel is left as it is written, for backtraces that name what was called.
WHOLE      := -flto
# What -Oz leaves on and costs more bytes than it saves (tried one by one).
SMALL := -fno-jump-tables -fno-tree-loop-im -fno-caller-saves -fno-tree-tail-merge
$(foreach f,image cost steps,$(foreach r,tcp udp socket link filter/evaluate filter/field,$(BUILD)/$f/net/$r%)): SMALL =
WHOLE_LINK := -flto=2 $(OPTIMISE) $(CODE)
# An app by itself: but for main nobody else calls into it.
WHOLE_APP  := $(WHOLE_LINK) -fwhole-program -flinker-output=nolto-rel
TIGHT := -falign-functions=1 -falign-jumps=1 -falign-loops=1 \
         -fno-inline-functions -fno-partial-inlining -fno-ipa-cp-clone -fno-reorder-blocks-and-partition
# Where bytes are moved, copies of unknown length are calls: at -Oz they would
# be `rep movsb`, the slowest way there is under emulation (docs/performance.md).
$(addprefix $(BUILD)/,image/net/%.o image/libc/%.o image/apps/%.o cost/net/%.o \
  cost/libc/%.o small/net/%.o): COPIES = -mstringop-strategy=libcall
endif
FREESTANDING := $(CODE) -nostdinc -isystem libc/include \
    -isystem $(shell $(CC) -print-file-name=include)
# -fbuiltin: the compiler may know memcpy and strlen although there is no C
# library below. libc, which defines them, is compiled without.
IMAGE_FLAGS := $(COMMON) $$(OPTIMISE) $$(COPIES) $(FREESTANDING) $$(FRAMES) \
               -fbuiltin -mgeneral-regs-only
APP_FLAGS    = $(filter-out -Wmissing-prototypes,$(COMMON)) $(OPTIMISE) \
               $(COPIES) $(FREESTANDING) $(NO_FRAMES) -fbuiltin
IMAGE_FLAGS_libc/pure := $(COMMON) $$(OPTIMISE) $$(COPIES) $(FREESTANDING) $$(FRAMES) \
                         -mgeneral-regs-only
# printf's floating point is compiled as apps are (docs/design.md).
IMAGE_FLAGS_libc/system := $(COMMON) $$(OPTIMISE) $$(COPIES) $(FREESTANDING) $$(FRAMES)

SANITIZE    ?= -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_FLAGS  := $(COMMON) -O1 -fno-omit-frame-pointer $(SANITIZE) -D_GNU_SOURCE
BENCH_FLAGS := $(COMMON) -O2 -D_GNU_SOURCE
FUZZ_FLAGS  := $(COMMON) -O1 -D_GNU_SOURCE -fno-sanitize-recover=all \
               -fsanitize=fuzzer-no-link,address,undefined

## ---- rules -----------------------------------------------------------------
say = $(if $(V),,@printf '  %-9s %s\n' '$(notdir $(1))' '$(2)';)

define view_rule # room
$(BUILD)/view/$(subst /,-,$(1))/.done: Makefile
	@rm -rf $$(@D) && mkdir -p $$(@D)
	@for path in $(VIEW_$(1)); do \
	    folder=$$(@D)/$$$$(dirname $$$$path); mkdir -p $$$$folder; \
	    [ ! -L $$$$folder ] || continue; rm -rf $$(@D)/$$$$path; \
	    ln -s $(CURDIR)/$$$$path $$(@D)/$$$$path; done; touch $$@
endef
$(foreach r,$(ROOMS) apps,$(eval $(call view_rule,$(r))))

define compile_rule # flavour, room, extension, compiler, flags
$(patsubst %.$(3),$(BUILD)/$(1)/%.o,$(filter %.$(3),$(FILES_$(2)))): \
    $(BUILD)/$(1)/%.o: %.$(3) $(BUILD)/view/$(subst /,-,$(2))/.done
	@mkdir -p $$(@D)
	$$(call say,$(4),$$<)$(4) $(5) -iquote $(BUILD)/view/$(subst /,-,$(2)) -c -o $$@ $$<
endef
objects = $(foreach r,$(2),$(patsubst %,$(BUILD)/$(1)/%.o,$(basename $(FILES_$(r)))))

WHOLE_ROOMS := $(NET_ROOMS) libc/system drivers/e1000
$(foreach r,$(WHOLE_ROOMS) libc/pure,$(eval $(FILES_$(r):%.c=$(BUILD)/image/%.o): FRAMES = $(NO_FRAMES)))
$(foreach r,$(ROOMS),$(foreach e,c S,$(eval $(call compile_rule,image,$(r),$(e),$(CC),$(if $(filter $(r),$(WHOLE_ROOMS)),$(WHOLE)) $(or $(IMAGE_FLAGS_$(r)),$(IMAGE_FLAGS))))))
$(foreach r,$(NET_ROOMS),$(eval $(call compile_rule,host,$(r),c,$(HOST_CC),$(HOST_FLAGS))))
$(foreach r,$(NET_ROOMS),$(eval $(call compile_rule,bench,$(r),c,$(HOST_CC),$(BENCH_FLAGS))))
$(foreach r,$(NET_ROOMS),$(eval $(call compile_rule,fuzz,$(r),c,$(CLANG),$(FUZZ_FLAGS))))

$(BUILD)/image/apps/%.o: apps/%.c $(BUILD)/view/apps/.done
	@mkdir -p $(@D)
	$(call say,$(CC),$<)$(CC) $(WHOLE) $(APP_FLAGS) -iquote $(BUILD)/view/apps -c -o $@ $<

# An app's built-in page becomes C: `site_page` and `site_page_length`.
$(BUILD)/made/apps/%/site.c: apps/%/site/index.html tools/embed
	@mkdir -p $(@D)
	$(call say,embed,$<)tools/embed site_page $< >$@
$(BUILD)/image/apps/%/site.o: $(BUILD)/made/apps/%/site.c
	@mkdir -p $(@D)
	$(call say,$(CC),$<)$(CC) $(WHOLE) $(APP_FLAGS) -c -o $@ $<

## ---- the image -------------------------------------------------------------
APP_OBJECTS   := $(patsubst %.c,$(BUILD)/image/%.o,$(APP_FILES)) \
                 $(patsubst apps/%/index.html,$(BUILD)/image/apps/%.o,\
                   $(wildcard $(addsuffix site/index.html,\
                     $(sort $(dir $(APP_FILES))))))
APP_OBJECT    := $(BUILD)/image/app-$(APP).o
IMAGE_OBJECTS := $(filter-out $(OTHER_PARTS:%.c=$(BUILD)/image/%.o),\
                   $(call objects,image,$(ROOMS))) $(APP_OBJECT)
ELF     := $(BUILD)/ferrule-$(APP).elf
LDFLAGS := -nostdlib -static -Wl,--gc-sections -Wl,--build-id=none \
           -Wl,-z,max-page-size=64 -Wl,-O2 -Wl,-z,noexecstack -Wl,-T,linker.ld

all: $(ELF) ## build build/ferrule-APP.elf (APP=httpd by default)
	@:

# An app's names are its own: only main is seen by the rest of the image.
$(APP_OBJECT): $(APP_OBJECTS)
	@$(CC) $(WHOLE_APP) -nostdlib -r -o $@ $^
	@$(OBJCOPY) --keep-global-symbol=main $@

# Linked twice: the table of function names for panics is made from the first
# image; it lies behind all code, so that it moves none in the second. That one
# has its constants packed.
PASS    := $(BUILD)/image/ferrule-$(APP)
NAMES   := tools/make-symbols.awk
PACK    := $(BUILD)/pack
LINK     = $(CC) $(WHOLE_LINK) $(LDFLAGS) -o $@ $(filter %.o,$^)

$(PASS)-first.S: $(NAMES)
	@mkdir -p $(@D)
	@awk -v app=$(APP) -f $(NAMES) </dev/null >$@
$(PASS)-second.S: $(PASS)-first.elf $(NAMES)
	@$(NM) -n $< | awk -v app=$(APP) -f $(NAMES) >$@
$(PASS)-first.o $(PASS)-second.o: %.o: %.S
	@$(CC) -c -o $@ $<
$(PASS)-first.elf: $(IMAGE_OBJECTS) $(PASS)-first.o linker.ld
	@$(LINK)
$(PASS)-second.elf: $(IMAGE_OBJECTS) $(PASS)-second.o linker.ld
	$(call say,link,$(ELF))$(LINK)
$(ELF): $(PASS)-second.elf $(PACK)
	@$(PACK) $< $(PASS)-emptied.elf $(PASS).packed
	@$(OBJCOPY) --update-section .packed=$(PASS).packed $(PASS)-emptied.elf $@
	@rm -f $(PASS)-emptied.elf

$(PACK): $(wildcard tools/pack/*.[ch]) kernel/unpack.c kernel/unpack.h
	@mkdir -p $(@D)
	$(call say,$(HOST_CC),$@)$(HOST_CC) $(filter-out -MMD -MP,$(COMMON)) -O2 -iquote . -o $@ $(filter %.c,$^)

## ---- host: the protocols as a library, and their tests ---------------------
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
test_word = $(shell sed -n 's|.*$(2): *||p' $(1) | sed 's|\*/||')

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
UNIT_FLAGS_$(1) := $$(call test_word,tests/unit/$(1).c,test-flags)
UNIT_LINKS_$(1) := $$(call unit_links,$$(call test_word,tests/unit/$(1).c,test-links),$$(UNIT_FLAGS_$(1)))
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

$(BUILD)/bench/nat: $(BUILD)/bench/tests/bench/nat.o \
    $(BUILD)/bench/libworld.a $(BUILD)/bench/libnet.a
	$(call say,link,$@)$(HOST_CC) -o $@ $< $(call group,$(filter %.a,$^))

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
FUZZ_LINKS_$(1) := $$(call test_word,tests/fuzz/$(1).c,test-links)
FUZZ_FLAGS_$(1) := $$(call test_word,tests/fuzz/$(1).c,test-flags)
$(BUILD)/fuzz/$(1): tests/fuzz/$(1).c $$(FUZZ_LINKS_$(1)) $(FUZZ_LIBRARIES)
	@mkdir -p $$(@D)
	$$(call say,$(CLANG),$$<)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer -Wno-missing-prototypes \
	    -MF $$@.d $$(FUZZ_FLAGS_$(1)) -iquote . -o $$@ $$< $$(FUZZ_LINKS_$(1)) \
	    $(call group,$(FUZZ_LIBRARIES))
endef
$(foreach t,$(FUZZERS),$(eval $(call fuzz_rule,$(t))))

fuzz: $(addprefix $(BUILD)/fuzz/,$(FUZZERS)) ## every fuzzer for FUZZ_SECONDS in all (60)
	@tools/run-fuzz $(FUZZ_SECONDS) $^

# Measurements: virtual time, no sanitizers; the same numbers every time.
$(BUILD)/bench/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,$(HOST_CC),$<)$(HOST_CC) $(BENCH_FLAGS) -iquote . -c -o $@ $<
$(BUILD)/bench/libnet.a: $(call objects,bench,$(NET_ROOMS))
	@rm -f $@ && ar rcs $@ $^
$(BUILD)/bench/tcp_paths: $(BUILD)/bench/tests/bench/tcp_paths.o \
    $(BUILD)/bench/tests/bench/tcp_path_run.o \
    $(BUILD)/bench/libworld.a $(BUILD)/bench/libnet.a
	$(call say,link,$@)$(HOST_CC) -o $@ $(filter %.o,$^) \
	    $(call group,$(filter %.a,$^))
$(BUILD)/bench/world_speed: $(BUILD)/bench/tests/bench/world_speed.o \
    $(BUILD)/bench/libworld.a $(BUILD)/bench/libnet.a
	$(call say,link,$@)$(HOST_CC) -o $@ $< $(call group,$(filter %.a,$^))

# Costs per unit of work, counted by callgrind: the protocols as the image has
# them (but for -mcmodel=kernel), the world around them as the host likes it.
COST_NET_FLAGS  := $(filter-out -mcmodel=kernel,$(IMAGE_FLAGS)) $(NO_FRAMES)
$(HOT:%=$(BUILD)/cost/%.o): OPTIMISE = $(OPTIMISE_HOT)
$(foreach r,$(NET_ROOMS),$(eval $(call compile_rule,cost,$(r),c,$(CC),$(COST_NET_FLAGS))))
$(foreach r,libc/pure,$(eval $(call compile_rule,cost,$(r),c,$(CC),$(filter-out -fbuiltin,$(COST_NET_FLAGS)))))
$(BUILD)/cost/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,$(CC),$<)$(CC) $(BENCH_FLAGS) -fno-pie -iquote . -c -o $@ $<
$(BUILD)/cost/libnet.a: $(call objects,cost,$(NET_ROOMS))
	@rm -f $@ && ar rcs $@ $^
$(eval $(call world_rule,cost))
COST_BENCH := $(addprefix $(BUILD)/cost/tests/,bench/host.o bench/host_world.o host/stack.o)
$(BUILD)/cost/host: $(COST_BENCH) $(BUILD)/cost/peer.o \
    $(BUILD)/cost/libc/pure/memory.o $(BUILD)/cost/libnet.a
	$(call say,link,$@)$(CC) -no-pie -o $@ $^
COST_ROUTER := $(addprefix $(BUILD)/cost/tests/,bench/router.o bench/host_world.o host/stack.o)
$(BUILD)/cost/router: $(COST_ROUTER) $(BUILD)/cost/peer.o \
    $(BUILD)/cost/libc/pure/memory.o $(BUILD)/cost/libnet.a
	$(call say,link,$@)$(CC) -no-pie -o $@ $^
$(BUILD)/cost/router-o2: $(COST_ROUTER) $(BUILD)/bench/peer.o $(BUILD)/bench/libnet.a
	$(call say,link,$@)$(CC) -no-pie -o $@ $^
$(BUILD)/cost/nat: $(BUILD)/cost/tests/bench/nat.o $(BUILD)/cost/libc/pure/memory.o \
    $(BUILD)/cost/libworld.a $(BUILD)/cost/libnet.a
	$(call say,link,$@)$(CC) -no-pie -o $@ $(filter %.o,$^) $(call group,$(filter %.a,$^))
$(BUILD)/cost/nat-o2: $(BUILD)/cost/tests/bench/nat.o $(BUILD)/bench/libworld.a $(BUILD)/bench/libnet.a
	$(call say,link,$@)$(CC) -no-pie -o $@ $< $(call group,$(filter %.a,$^))
# The same at -O2 and with the host's memcpy, as the peers were measured.
$(BUILD)/cost/host-o2: $(COST_BENCH) $(BUILD)/bench/peer.o $(BUILD)/bench/libnet.a
	$(call say,link,$@)$(CC) -no-pie -o $@ $^

$(BUILD)/cost/host_floods: $(subst /host.o,/host_floods.o,$(COST_BENCH)) \
    $(BUILD)/cost/peer.o $(BUILD)/cost/libc/pure/memory.o $(BUILD)/cost/libnet.a
	$(call say,link,$@)$(CC) -no-pie -o $@ $^

# The worst frame: the same stack, and once more with every basic block telling
# of itself, for the search.
WORST := bench/worst.o bench/worst_around.o bench/worst_crossing.o bench/worst_moves.o bench/worst_search.o \
         bench/worst_victim.o bench/host_world.o host/stack.o
$(HOT:%=$(BUILD)/steps/%.o): OPTIMISE = $(OPTIMISE_HOT)
$(foreach r,$(NET_ROOMS),$(eval $(call compile_rule,steps,$(r),c,$(CC),$(COST_NET_FLAGS) -fsanitize-coverage=trace-pc)))
$(BUILD)/cost/worst $(BUILD)/steps/worst: $(BUILD)/%/worst: \
    $(addprefix $(BUILD)/cost/tests/,$(WORST)) $(BUILD)/cost/peer.o \
    $(BUILD)/cost/libc/pure/memory.o $(BUILD)/%/libnet.a
	$(call say,link,$@)$(CC) -no-pie -o $@ $^
$(BUILD)/steps/libnet.a: $(call objects,steps,$(NET_ROOMS))
	@rm -f $@ && ar rcs $@ $^

worst: $(BUILD)/steps/worst ## search for the frame that costs most (T='SEED ROUNDS [FILE]')
	@$< --search $(or $(T),1 4000)

floods: $(BUILD)/cost/host_floods ## floods in full size, in virtual time (T='SYNS SECONDS MINUTES')
	@$< $(T)

# ...and at -Os, to be weighed.
$(foreach r,$(NET_ROOMS),$(eval $(call compile_rule,small,$(r),c,$(CC),$(subst $$(OPTIMISE),-Os,$(value COST_NET_FLAGS)))))

costs: $(addprefix $(BUILD)/cost/,host router)
	@tests/bench/host_run --check $(T) $(BUILD)
worst-frames: $(BUILD)/cost/worst
	@tests/bench/host_run --worst $(BUILD)
bench-host: $(addprefix $(BUILD)/cost/,host host-o2 router router-o2) $(call objects,small,$(NET_ROOMS)) ## instructions per unit of work (T=--accept sets budgets)
	@tests/bench/host_run $(T) $(BUILD)

bench-world: $(BUILD)/bench/world_speed ## how fast virtual time runs
	@$<

bench-tcp: $(BUILD)/bench/tcp_paths ## goodput of TCP over paths that lose, as a table
	@$<

## ---- hosted: the stack and APP as a Linux process on a TAP device ----------
HOSTED       := $(BUILD)/hosted-$(APP)
HOSTED_CALLS := socket bind listen accept accept4 connect send sendto sendmsg \
                recv recvfrom recvmsg read write close shutdown setsockopt \
                getsockopt getsockname getpeername fcntl poll sendfile open \
                epoll_create1 epoll_ctl epoll_wait
$(BUILD)/hosted/apps/%.o: apps/%.c $(BUILD)/view/apps/.done
	@mkdir -p $(@D)
	$(call say,$(HOST_CC),$<)$(HOST_CC) $(filter-out -Wmissing-prototypes,$(HOST_FLAGS)) -Dmain=app_main -iquote $(BUILD)/view/apps -c -o $@ $<
$(BUILD)/host/tests/host/tap_calls.o: HOST_FLAGS += -Wno-missing-prototypes
$(BUILD)/hosted/apps/%/site.o: $(BUILD)/made/apps/%/site.c
	@mkdir -p $(@D)
	@$(HOST_CC) $(HOST_FLAGS) -c -o $@ $<
# As in the image, an app's names are its own.
$(BUILD)/hosted/app-$(APP).o: $(patsubst $(BUILD)/image/%,$(BUILD)/hosted/%,$(APP_OBJECTS))
	@ld -r -o $@ $^
	@objcopy --keep-global-symbol=app_main $@
$(HOSTED): $(BUILD)/hosted/app-$(APP).o \
    $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard tests/host/tap*.c)) $(HOST_NET)
	$(call say,link,$@)$(HOST_CC) $(SANITIZE) -o $@ $(filter %.o,$^) $(HOST_NET) \
	    $(addprefix -Wl$(comma)--wrap=,$(HOSTED_CALLS))
comma := ,

hosted: $(HOSTED) ## build/hosted-APP: stack and APP on a TAP device, sanitizers on

# stream with both stacks, and the relay between, as they would run.
WIRE_BENCH := $(addprefix $(BUILD)/bench/,wire stream stream_client hosted-stream)
$(BUILD)/bench/wire: $(wildcard tests/host/wire*.c)
$(BUILD)/bench/stream: $(wildcard apps/stream/*.c)
$(BUILD)/bench/stream_client: tests/apps/stream_client.c apps/stream/pattern.c
$(BUILD)/bench/hosted-stream: $(wildcard tests/host/tap*.c) \
    $(BUILD)/bench/app_main.o apps/stream/pattern.c $(BUILD)/bench/libnet.a
$(BUILD)/bench/hosted-stream: WIRE_LINK := $(addprefix -Wl$(comma)--wrap=,$(HOSTED_CALLS))
$(BUILD)/bench/app_main.o: apps/stream/main.c
	@mkdir -p $(@D)
	$(call say,$(HOST_CC),$<)$(HOST_CC) $(WIRE_FLAGS) -Dmain=app_main -c -o $@ $<
WIRE_FLAGS = $(filter-out -Wmissing-prototypes -MMD -MP,$(BENCH_FLAGS)) -iquote .
$(WIRE_BENCH):
	@mkdir -p $(@D)
	$(call say,link,$@)$(HOST_CC) $(WIRE_FLAGS) -o $@ $^ $(WIRE_LINK)

bench-wire: $(WIRE_BENCH) ## ferrule beside Linux over real TAPs and a bad wire (T='--delays 100')
	@tests/bench/wire_run --build $(BUILD) $(T)

## ---- what people type ------------------------------------------------------
# The tools take their settings from the environment, whatever is in them.
$(foreach v,APP ELF MACHINE NET MEM NIC TAP LAN SITE ARGS,\
  $(eval run images debug: export $v := $$($v)))

run: ## boot APP in QEMU: SITE=dir NET=tap TAP=name LAN=port ARGS='...' MEM= MACHINE= NIC=
	@tools/prerequisites build run
	@$(MAKE) --no-print-directory all
	@tools/run-qemu

images: ## build/ferrule-APP.iso .img .qcow2 .vmdk, BIOS and UEFI (SITE= ARGS=)
	@tools/prerequisites build images
	@$(MAKE) --no-print-directory all
	@tools/make-images

debug: ## QEMU stopped at its first instruction, gdb attached, symbols loaded
	@tools/prerequisites build debug
	@$(MAKE) --no-print-directory all
	@tools/debug-qemu

apps: ## every app's ELF
	@for app in $(APPS); do \
	    $(MAKE) --no-print-directory APP=$$app all || exit 1; done

qemu: apps ## image tests in QEMU alone (T='-k name' chooses)
	@tests/qemu/run --build $(BUILD) $(T)

soak-offloads: apps ## all combinations of what the cards do for TCP, bit-exact
	@tests/qemu/run --build $(BUILD) --tag soak -k 'offload: all sixteen' -j 1 $(T)

bench: ## ferrule beside a Linux guest, in turns (T='--rounds 3' chooses)
	@tools/prerequisites build run bench
	@$(MAKE) --no-print-directory apps
	@tests/bench/run --build $(BUILD) $(T)

check: ## every test: unit, apps, fuzz smoke, images in QEMU
	@tools/prerequisites build run images check
	@BUILD=$(BUILD) tools/check

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | sort | \
	    while IFS="$$(printf '\t')" read -r name text; do \
	        printf '  make %-15s %s\n' "$$name" "$$text"; done

format: ## let clang-format lay out every C file
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

clean: ## remove everything built
	rm -rf $(BUILD)

.PHONY: all run bench bench-host costs worst worst-frames floods bench-tcp bench-wire bench-world judge chaos failures unit script rules packetdrill-so script-so fuzz hosted images debug apps qemu soak-offloads check help format clean

-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)
