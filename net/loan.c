/* SPDX-License-Identifier: MIT */
/* See loan.h. Those that are free hang together by number. */
#include "net/loan.h"

#include "net/platform.h"

#include <stddef.h>

static struct loan {
    void *lender;
    uint32_t key; /* of a free one: the next free one's number */
    uint32_t references;
} loans[LOANS_MAX + 1]; /* LOAN_NONE is nobody's */

static loan_returned *tell;
static uint32_t first_free;
static unsigned out;

COLD void loans_init(loan_returned *returned)
{
    tell = returned;
    out = 0;
    first_free = 1;
    for (uint32_t i = 1; i <= LOANS_MAX; i++)
        loans[i] = (struct loan){.key = i < LOANS_MAX ? i + 1 : LOAN_NONE};
}

COLD uint8_t loan_open(void *lender, uint32_t key)
{
    uint32_t number = first_free;

    if (number == LOAN_NONE)
        return LOAN_NONE;
    first_free = loans[number].key;
    loans[number] = (struct loan){lender, key, 1};
    out++;
    return (uint8_t)number;
}

COLD void loan_hold(uint32_t loan)
{
    ASSERT(loans[loan].references > 0);
    loans[loan].references++;
}

COLD void loan_release(uint32_t loan)
{
    struct loan *at = &loans[loan];

    ASSERT(at->references > 0);
    if (--at->references != 0)
        return;
    const struct loan ended = *at;
    at->key = first_free;
    first_free = loan;
    out--;
    tell(ended.lender, ended.key);
}

COLD unsigned loans_out(void)
{
    return out;
}
