# SPDX-License-Identifier: MIT
# ferrule: how the image is built, and what people type. Tests are in
# tests/tests.mk, measurements in tests/bench/bench.mk. `make help` lists all.
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

PAGES := Makefile tests/tests.mk tests/bench/bench.mk

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.SECONDARY:

## ---- who may include whom --------------------------------------------------
BASE_VIEW := net/attributes.h net/account.h net/platform.h net/limits.h net/bounds.h \
             net/packet.h net/packet_pieces.h net/buffer.h net/loan.h net/pool.h net/timer.h net/hash.h net/counter.h \
             net/wire
LINK_VIEW := $(BASE_VIEW) net/link net/ip/address.h
IP_VIEW   := $(LINK_VIEW) net/filter net/ip
NETIF_VIEW := net/attributes.h net/platform.h net/limits.h net/packet.h \
              net/buffer.h net/loan.h net/link/netif.h net/ip/address.h \
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
VIEW_kernel/main     := kernel boot libc/pure net/net.h net/net_host.h \
                        net/net_router.h net/net_show.h \
                        net/attributes.h net/limits.h \
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
  $(if $(shell grep -qws -d skip -e '$v' $(PAGES) tools/* && echo known),,\
    $(warning $v=$($v): there is no such variable; see docs/guide.md))))
endif

## ---- flags -----------------------------------------------------------------
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wundef \
            -Wmissing-prototypes -Wstrict-prototypes -Wswitch-enum -Werror
COMMON   := -std=c17 $(WARNINGS) -g -MMD -MP
# Size first, but for the files that a profile of downloads names
# (docs/performance.md).
OPTIMISE     ?= -Oz $(SMALL)
OPTIMISE_HOT ?= -O2 $(TIGHT)
HOT := $(addprefix net/,packet packet_pool hash wire/checksum wire/tcp ip/input \
         ip/output link/netif tcp/transmit tcp/rack tcp/send_queue tcp/window \
         tcp/receive tcp/scoreboard tcp/span \
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
SMALL := -fno-jump-tables -fno-tree-loop-im -fno-caller-saves -fno-tree-tail-merge \
         -fno-tree-dominator-opts -fno-shrink-wrap -fno-move-loop-invariants -fno-if-conversion
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

# Two terminals at once (a gateway, and a guest on its LAN) build in turns.
ifeq ($(MAKELEVEL),0)
all: ## build build/ferrule-APP.elf (APP=httpd by default)
	$(BUILD_ELF)
else
all: $(ELF)
	@:
endif

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

include tests/tests.mk

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

include tests/bench/bench.mk

## ---- what people type ------------------------------------------------------
# The tools take their settings from the environment, whatever is in them.
$(foreach v,APP ELF MACHINE NET MEM NIC TAP LAN SITE ARGS,\
  $(eval run images debug: export $v := $$($v)))

BUILD_ELF = +@mkdir -p $(BUILD) && exec 9>$(BUILD)/.lock && { flock -n 9 || { \
    echo '  another make works in $(BUILD); waiting' && flock 9; }; } && \
    $(MAKE) --no-print-directory all

run: ## boot APP in QEMU: SITE=dir NET=tap TAP=name LAN=port ARGS='...' MEM= MACHINE= NIC=
	@tools/prerequisites build run
	$(BUILD_ELF)
	@tools/run-qemu

images: ## build/ferrule-APP.iso .img .qcow2 .vmdk, BIOS and UEFI (SITE= ARGS=)
	@tools/prerequisites build images
	$(BUILD_ELF)
	@tools/make-images

debug: ## QEMU stopped at its first instruction, gdb attached, symbols loaded
	@tools/prerequisites build debug
	$(BUILD_ELF)
	@tools/debug-qemu

# What all apps share first; the gateway has httpd's files.
apps: $(APPS:%=app-%) ## every app's ELF
app-gateway: app-httpd
rooms: $(call objects,image,$(ROOMS)) $(BUILD)/view/apps/.done $(PACK)
$(APPS:%=app-%): app-%: rooms
	@$(MAKE) --no-print-directory APP=$* all

hosted-httpd hosted-gateway: hosted-%: apps
	@$(MAKE) --no-print-directory APP=$* hosted
hosted-gateway: hosted-httpd
qemu: hosted-httpd hosted-gateway ## image tests in QEMU alone (T='-k name' chooses)
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
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(PAGES) | sort | \
	    while IFS="$$(printf '\t')" read -r name text; do \
	        printf '  make %-15s %s\n' "$$name" "$$text"; done

format: ## let clang-format lay out every C file
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

clean: ## remove everything built
	rm -rf $(BUILD)

.PHONY: all run bench bench-host costs worst worst-frames floods bench-tcp bench-wire bench-world judge chaos failures unit script rules packetdrill-so script-so fuzz hosted images debug apps rooms $(APPS:%=app-%) hosted-httpd hosted-gateway qemu soak-offloads check help format clean

-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)
