/* SPDX-License-Identifier: MIT */
/*
 * See account.h.
 */
#include "net/account.h"

#include "net/platform.h"

struct account account;

void account_switch(enum account_stage stage)
{
    if (account.stage == ACCOUNT_OUTSIDE && stage != ACCOUNT_OUTSIDE)
        account.is_followed = account.entries++ % ACCOUNT_SAMPLE == 0;
    if (account.is_followed) {
        uint64_t now = platform_cycles();

        if (account.stage != ACCOUNT_OUTSIDE)
            account.cycles[account.stage] +=
                (now - account.since) * ACCOUNT_SAMPLE;
        account.since = now;
    }
    account.stage = stage;
}

void account_set(bool is_on)
{
    account = (struct account){.is_on = is_on};
}

const char *account_stage_name(enum account_stage stage)
{
    static const char *const names[ACCOUNT_STAGES] = {
        "outside", "poll", "ip", "transport", "output", "timers", "socket",
    };

    return names[stage];
}
