/* SPDX-License-Identifier: MIT */
/*
 * What netdevice(7) tells of interfaces, as <sys/ioctl.h> asks it.
 * test-links: tests/unit/support_socket.c
 */
#include "tests/unit/support_socket.h"
#include "net/link/netif.h"
#include "net/socket/interface.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

TestSuite(socket_interface, .init = socket_world);

static struct ifreq ask(unsigned long request, const char *name)
{
    struct ifreq answer = {.ifr_ifindex = 0};

    strcpy(answer.ifr_name, name);
    cr_assert(interface_is_request(request));
    cr_assert_eq(interface_ask(request, &answer), 0);
    return answer;
}

static uint32_t address_in(const struct ifreq *answer)
{
    struct sockaddr_in address;

    memcpy(&address, &answer->ifr_addr, sizeof(address));
    cr_assert_eq(address.sin_family, AF_INET);
    return ntohl(address.sin_addr.s_addr);
}

Test(socket_interface, names_and_numbers_lead_to_each_other)
{
    struct ifreq answer = ask(SIOCGIFINDEX, "lo");
    int number = answer.ifr_ifindex;

    cr_assert_geq(number, 1);
    memset(&answer, 0, sizeof(answer));
    answer.ifr_ifindex = number;
    cr_assert_eq(interface_ask(SIOCGIFNAME, &answer), 0);
    cr_assert_str_eq(answer.ifr_name, "lo");
    for (int bad = -1; bad <= NETIF_MAX + 1; bad += NETIF_MAX / 2 + 1) {
        answer.ifr_ifindex = bad == number ? 0 : bad;
        cr_assert_eq(interface_ask(SIOCGIFNAME, &answer), -ENODEV);
    }
    answer.ifr_ifindex = number + 1;
    cr_assert_eq(interface_ask(SIOCGIFNAME, &answer), -ENODEV);
}

Test(socket_interface, the_loopback_tells_what_it_is)
{
    struct ifreq answer = ask(SIOCGIFADDR, "lo");

    cr_assert_eq(address_in(&answer), LOOPBACK);
    answer = ask(SIOCGIFNETMASK, "lo");
    cr_assert_eq(address_in(&answer), 0xff000000);
    answer = ask(SIOCGIFBRDADDR, "lo");
    cr_assert_eq(address_in(&answer),
                 be32_get(netif_by_name("lo")->ip.broadcast));
    cr_assert_eq(ask(SIOCGIFMTU, "lo").ifr_mtu, (int)netif_by_name("lo")->mtu);
    cr_assert_eq(ask(SIOCGIFFLAGS, "lo").ifr_flags,
                 IFF_UP | IFF_RUNNING | IFF_LOOPBACK);
    cr_assert_eq(ask(SIOCGIFHWADDR, "lo").ifr_hwaddr.sa_family, 772);
}

Test(socket_interface, unknown_names_and_missing_addresses_are_errors)
{
    struct ifreq answer;

    memset(&answer, 'x', sizeof(answer)); /* no end */
    cr_assert_eq(interface_ask(SIOCGIFADDR, &answer), -ENODEV);
    netif_by_name("lo")->ip.address = be32_from(0);
    strcpy(answer.ifr_name, "lo");
    cr_assert_eq(interface_ask(SIOCGIFADDR, &answer), -EADDRNOTAVAIL);
    cr_assert_not(interface_is_request(SIOCGIFNAME - 1));
}
