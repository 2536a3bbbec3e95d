/* SPDX-License-Identifier: MIT */
/*
 * The boot story as a list: boot/start.S calls kernel_main on the app's stack
 * with interrupts off; each step may use what the steps before it started.
 * After the last, main() of the app runs, and from then on the machine works
 * in interrupts, in softirqs and in what the app calls.
 */
#include "kernel/main.h"

#include "boot/layout.h"
#include "drivers/e1000/e1000.h"
#include "kernel/acpi.h"
#include "kernel/boot_info.h"
#include "kernel/clock.h"
#include "kernel/command_line.h"
#include "kernel/console.h"
#include "kernel/entropy.h"
#include "kernel/image.h"
#include "kernel/interrupt.h"
#include "kernel/main_parts.h"
#include "kernel/main_reports.h"
#include "kernel/memory.h"
#include "kernel/memory_ranges.h"
#include "kernel/module.h"
#include "kernel/paging.h"
#include "kernel/panic.h"
#include "kernel/pci.h"
#include "kernel/phases.h"
#include "kernel/power.h"
#include "kernel/self_test.h"
#include "kernel/softirq.h"
#include "kernel/stack_protector.h"
#include "kernel/trap.h"
#include "net/net.h"

#include <stdlib.h>
#include <string.h>

enum { ADDRESS_TEXT_BYTES = 16, NET_PREFIX = 4, E1000_PREFIX = 6 };

/* How long the app waits for its address; an app without one starts, too. */
#define ADDRESS_WAIT_NS UINT64_C(10000000000)
#define NS_PER_MS       UINT64_C(1000000)

extern char app_name[]; /* written by the link, see tools/make-symbols.awk */
int main(int argc, char **argv);

static size_t card_count;
static bool is_address_asked_for;

static const void *boot_memory_at(uint64_t physical, uint64_t bytes)
{
    if (physical > BOOT_MAPPED || bytes > BOOT_MAPPED - physical)
        return NULL;
    return memory_direct(physical);
}

static void read_boot_info(int protocol, uint64_t information)
{
    bool is_complete =
        protocol == BOOT_PVH
            ? boot_info_read_pvh(&boot_info, information, boot_memory_at)
            : boot_info_read_multiboot2(&boot_info, information,
                                        boot_memory_at);

    if (!is_complete)
        panic("no memory map from the %s loader", boot_info.loader);
}

static void read_command_line(void)
{
    command_line_parse(boot_info.command_line, boot_info.command_line_length,
                       app_name);
    command_line_apply(console_words, CONSOLE_WORDS);
    command_line_apply(panic_words, PANIC_WORDS);
    command_line_apply(power_words, POWER_WORDS);
    command_line_apply(self_test_words, SELF_TEST_WORDS);
    if (boot_info.is_command_line_cut)
        log_print(LOG_WARN, "command line", "too long, cut");
}

static void start_memory(void)
{
    memory_start();
    paging_start();
    (void)paging_check();
    if (boot_info.ram.bytes_lost > 0) {
        log_print(LOG_WARN, "memory", "map too long, %lu KiB not used",
                  boot_info.ram.bytes_lost / 1024);
    }
    log_print(LOG_INFO, "memory", "%zu KiB usable, told by %s",
              memory_total() / 1024, boot_info.loader);
}

static void start_module(void)
{
    const struct range *module = &boot_info.module;

    if (boot_info.modules_ignored > 0) {
        log_print(LOG_WARN, "module", "%u more modules not used",
                  boot_info.modules_ignored);
    }
    if (module->end > module->start) {
        module_start(memory_direct(module->start), module->end - module->start);
    }
}

static bool set_card_option(const char *name, const char *value)
{
    return value != NULL && e1000_set_option(name + E1000_PREFIX, value) == 0;
}

static bool set_net_value(const char *name, const char *value)
{
    return value != NULL && net_set(name + NET_PREFIX, value) == 0;
}

static bool set_address(const char *name, const char *value)
{
    (void)name;
    return value != NULL && net_configure_ip(value) == 0;
}

static const struct command_word card_words[] = {{"e1000.", set_card_option}};
static const struct command_word net_words[] = {{"net.", set_net_value},
                                                {"ip", set_address}};

/* Cards first: some need a while before they listen. */
static void probe_cards(void)
{
    command_line_apply(card_words, 1);
    (void)e1000_probe_all();
}

static void receive_softirq(uint64_t now_ns)
{
    if (net_receive_softirq(now_ns))
        softirq_raise(SOFTIRQ_NET_RX);
}

static void start_stack(void)
{
    if (net_init(clock_now_ns()) != 0)
        panic("not enough memory for the network stack");
    main_parts_start();
    command_line_apply(net_words, 2);
    command_line_report_unknown();
    softirq_register(SOFTIRQ_NET_RX, receive_softirq);
    softirq_register(SOFTIRQ_TIMER, net_timer_softirq);
    softirq_set_deadline_source(net_next_deadline);
}

/* Gives DHCP its time, if it is asked at all. */
static void start_network(void)
{
    char address[ADDRESS_TEXT_BYTES];
    uint64_t deadline_ns;

    card_count = e1000_start_all();
    interrupt_enable();
    softirq_lock();
    main_parts_prepare_network();
    is_address_asked_for = net_start(clock_now_ns());
    deadline_ns = clock_now_ns() + ADDRESS_WAIT_NS;
    while (is_address_asked_for && clock_now_ns() < deadline_ns &&
           !net_is_configured(address, sizeof(address)))
        softirq_idle(deadline_ns);
    softirq_unlock();
}

/* The app is ready when it waits for the first time. */
static void announce(void)
{
    char text[ADDRESS_TEXT_BYTES];
    const char *address = text;

    softirq_set_before_idle(NULL);
    phase_end("app");
    phases_print();
    if (card_count == 0)
        address = "no network card";
    else if (!net_is_configured(text, sizeof(text)))
        address = is_address_asked_for ? "no address yet" : "no address";
    log_print(LOG_INFO, "ferrule", "ready in %lu ms: %s on %s",
              clock_now_ns() / NS_PER_MS, app_name, address);
}

static _Noreturn void run_app(void)
{
    char **argv;
    int argc = command_line_app_arguments(&argv);

    softirq_set_before_idle(announce);
    exit(main(argc, argv));
}

void kernel_main(int protocol, uint64_t information, uint64_t entry_tsc)
{
    stack_protector_start();               /* before any other function */
    image_unpack();                        /* contents, out of the file */
    gdt_start();                           /* segments, exception stacks */
    idt_start();                           /* from here a fault is a panic */
    console_start();                       /* serial port */
    read_boot_info(protocol, information); /* memory map, words, module */
    read_command_line();                   /* loglevel=, panic= */
    start_memory();                        /* all RAM, W^X page tables */
    phases_start(entry_tsc, "memory");

    acpi_init();           /* what the firmware says */
    clock_init(entry_tsc); /* time, roughly */
    log_set_clock(clock_now_ns);
    interrupt_init(); /* APICs, every line masked */
    clock_sample();   /* calibration begins */
    softirq_init();   /* the deferred half */
    phase_end("machine");

    pci_scan();    /* who is on the bus */
    probe_cards(); /* reset them, switch them on */
    phase_end("cards");

    entropy_init();  /* before any secret is drawn */
    start_module();  /* the app's files */
    self_test_run(); /* panic-test, fault-test= */
    phase_end("module");

    start_stack(); /* pools, protocols, settings */
    phase_end("stack");
    clock_calibrate();       /* time, exactly; the timer */
    main_reports_register(); /* /proc/ferrule */
    main_parts_report();
    pages_start(); /* what is left is malloc's */
    phase_end("clock");

    start_network(); /* rings, interrupts, address */
    phase_end("network");
    run_app(); /* main(), then power off */
}
