/* SPDX-License-Identifier: MIT */
/*
 * Interfaces through the requests of netdevice(7).
 */
#include "device.h"

#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool ask(const char *name, unsigned long request, struct ifreq *answer)
{
    int descriptor;
    bool is_known;

    memset(answer, 0, sizeof(*answer));
    if (strlen(name) >= sizeof(answer->ifr_name))
        return false;
    descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    if (descriptor < 0)
        return false;
    strcpy(answer->ifr_name, name);
    is_known = ioctl(descriptor, request, answer) == 0;
    close(descriptor);
    return is_known;
}

static uint32_t address_of(const struct ifreq *answer)
{
    struct sockaddr_in address;

    memcpy(&address, &answer->ifr_addr, sizeof(address));
    return ntohl(address.sin_addr.s_addr);
}

bool device_exists(const char *name)
{
    struct ifreq answer;

    return ask(name, SIOCGIFFLAGS, &answer);
}

bool device_address(const char *name, uint32_t *address, uint32_t *netmask)
{
    struct ifreq answer;

    if (!ask(name, SIOCGIFADDR, &answer))
        return false;
    *address = address_of(&answer);
    if (!ask(name, SIOCGIFNETMASK, &answer))
        return false;
    *netmask = address_of(&answer);
    return *address != 0;
}
