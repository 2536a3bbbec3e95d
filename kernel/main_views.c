/* SPDX-License-Identifier: MIT */
/*
 * Interfaces, neighbours and resolvers as tables: names of columns, then a
 * line for each, two blanks between columns.
 */
#include "kernel/main_views.h"

#include "kernel/console.h"
#include "kernel/main_text.h"
#include "kernel/report.h"
#include "kernel/softirq.h"
#include "net/net_show.h"

enum { RESOLVERS_MAX = 4 };

#define HARDWARE       "%02x:%02x:%02x:%02x:%02x:%02x"
#define HARDWARE_OF(h) (h)[0], (h)[1], (h)[2], (h)[3], (h)[4], (h)[5]

static void add_interface(struct report_text *text,
                          const struct net_interface_view *view)
{
    unsigned prefix = 0;

    while (prefix < 32 && (view->netmask << prefix & 0x80000000) != 0)
        prefix++;
    report_add(text, "%s  %s  ", view->name, view->is_up ? "up" : "down");
    if (view->address != 0)
        report_add(text, REPORT_ADDRESS "/%u", REPORT_ADDRESS_OF(view->address),
                   prefix);
    else
        report_add(text, "-");
    report_add(text, "  " HARDWARE "  %u  %u  %lu  %lu  %lu  %lu  %lu\n",
               HARDWARE_OF(view->hardware), view->mtu, view->speed,
               view->rx_packets, view->rx_bytes, view->tx_packets,
               view->tx_bytes, view->dropped);
}

static size_t write_interfaces(char *buffer, size_t size)
{
    struct report_text text = {.buffer = buffer, .size = size};
    struct net_interface_view view;

    report_add(&text, "name  link  address  hardware  mtu  Mbit/s  rx packets"
                      "  rx bytes  tx packets  tx bytes  dropped\n");
    softirq_lock();
    for (size_t i = 0; net_show_interface(i, &view); i++)
        add_interface(&text, &view);
    softirq_unlock();
    return text.length;
}

static void add_neighbour(void *context, const struct net_neighbour_view *view)
{
    report_add(context, REPORT_ADDRESS "  " HARDWARE "  %s  %s\n",
               REPORT_ADDRESS_OF(view->address), HARDWARE_OF(view->hardware),
               view->netif, view->state);
}

static size_t write_neighbours(char *buffer, size_t size)
{
    struct report_text text = {.buffer = buffer, .size = size};

    report_add(&text, "address  hardware  interface  state\n");
    softirq_lock();
    net_show_neighbours(add_neighbour, &text);
    softirq_unlock();
    return text.length;
}

static size_t write_resolvers(char *buffer, size_t size)
{
    struct report_text text = {.buffer = buffer, .size = size};
    uint32_t addresses[RESOLVERS_MAX];
    size_t count;

    softirq_lock();
    count = net_show_resolvers(addresses, RESOLVERS_MAX);
    softirq_unlock();
    for (size_t i = 0; i < count; i++)
        report_add(&text, "nameserver " REPORT_ADDRESS "\n",
                   REPORT_ADDRESS_OF(addresses[i]));
    return text.length;
}

void main_views_register(void)
{
    static const struct report reports[] = {
        {"interfaces", write_interfaces, NULL},
        {"neighbours", write_neighbours, NULL},
        {"resolv.conf", write_resolvers, NULL},
    };

    for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) {
        if (report_register(&reports[i]) != 0)
            log_print(LOG_ERROR, "report", "no room for %s", reports[i].name);
    }
}
