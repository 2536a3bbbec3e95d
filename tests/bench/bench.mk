# SPDX-License-Identifier: MIT
# What is measured on the host: goodput in virtual time, instructions per unit
# of work, the worst frame, ferrule beside Linux on a wire. After tests.mk.

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
$(BUILD)/bench/nat: $(BUILD)/bench/tests/bench/nat.o \
    $(BUILD)/bench/libworld.a $(BUILD)/bench/libnet.a
	$(call say,link,$@)$(HOST_CC) -o $@ $< $(call group,$(filter %.a,$^))
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
