/* SPDX-License-Identifier: MIT */
/*
 * The asking requests of netdevice(7), and SIOCGIFNAME. Interfaces are
 * numbered from 1 here, as users see them.
 */
#include "net/socket/interface.h"

#include "net/link/netif.h"
#include "net/platform.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>

enum { HARDWARE_ETHERNET = 1, HARDWARE_LOOPBACK = 772 }; /* ARPHRD_* */

bool interface_is_request(unsigned long request)
{
    return request == SIOCGIFNAME || request == SIOCGIFINDEX ||
           request == SIOCGIFFLAGS || request == SIOCGIFADDR ||
           request == SIOCGIFBRDADDR || request == SIOCGIFNETMASK ||
           request == SIOCGIFMTU || request == SIOCGIFHWADDR;
}

int interface_of_option(const char *value, socklen_t length,
                        struct netif **netif)
{
    char name[NETIF_NAME_SIZE];

    if (length >= sizeof(name))
        length = sizeof(name) - 1;
    memcpy(name, value, length);
    name[length] = '\0';
    *netif = netif_by_name(name);
    return *netif == NULL && name[0] != '\0' ? -ENODEV : 0;
}

static int answer_address(struct ifreq *answer, const struct netif *netif,
                          struct be32 value)
{
    struct sockaddr_in address = {.sin_family = AF_INET};

    if (be32_get(netif->ip.address) == 0)
        return -EADDRNOTAVAIL;
    memcpy(&address.sin_addr, &value, sizeof(value));
    memcpy(&answer->ifr_addr, &address, sizeof(address));
    return 0;
}

static short flags_of(const struct netif *netif)
{
    bool is_loopback = (netif->features & NETIF_LOOPBACK) != 0;

    return (
        short)(IFF_UP | (netif->link_up ? IFF_RUNNING : 0) |
               (is_loopback ? IFF_LOOPBACK : IFF_BROADCAST | IFF_MULTICAST));
}

static int answer_from(unsigned long request, struct ifreq *answer,
                       const struct netif *netif)
{
    switch (request) {
    case SIOCGIFINDEX:
        answer->ifr_ifindex = netif->index + 1;
        return 0;
    case SIOCGIFFLAGS:
        answer->ifr_flags = flags_of(netif);
        return 0;
    case SIOCGIFMTU:
        answer->ifr_mtu = (int)netif->mtu;
        return 0;
    case SIOCGIFADDR:
        return answer_address(answer, netif, netif->ip.address);
    case SIOCGIFBRDADDR:
        return answer_address(answer, netif, netif->ip.broadcast);
    case SIOCGIFNETMASK:
        return answer_address(answer, netif, netif->ip.netmask);
    case SIOCGIFHWADDR:
        answer->ifr_hwaddr.sa_family = (netif->features & NETIF_LOOPBACK) != 0
                                           ? HARDWARE_LOOPBACK
                                           : HARDWARE_ETHERNET;
        memcpy(answer->ifr_hwaddr.sa_data, &netif->address,
               sizeof(netif->address));
        return 0;
    default:
        return -EINVAL;
    }
}

static int answer_name(struct ifreq *answer)
{
    const struct netif *netif =
        answer->ifr_ifindex < 1
            ? NULL
            : netif_by_index((size_t)answer->ifr_ifindex - 1);

    if (netif == NULL)
        return -ENODEV;
    memcpy(answer->ifr_name, netif->name, sizeof(answer->ifr_name));
    return 0;
}

int interface_ask(unsigned long request, void *place)
{
    struct ifreq *answer = place;
    const struct netif *netif;
    int status;

    platform_lock();
    if (request == SIOCGIFNAME) {
        status = answer_name(answer);
    } else {
        answer->ifr_name[sizeof(answer->ifr_name) - 1] = '\0';
        netif = netif_by_name(answer->ifr_name);
        status = netif == NULL ? -ENODEV : answer_from(request, answer, netif);
    }
    platform_unlock();
    return status;
}
