/* SPDX-License-Identifier: MIT */
/*
 * The gateway: a router whose work is done below; main() only waits.
 */
#include <poll.h>

int main(void)
{
    for (;;)
        (void)poll(NULL, 0, -1);
}
