/* SPDX-License-Identifier: MIT */
/*
 * See seldom.h.
 */
#include "net/tcp/seldom.h"

#include "net/pool.h"
#include "net/tcp/internal.h"

static struct pool pool;

int seldoms_init(size_t count)
{
    return pool_init(&pool, count, sizeof(struct tcp_seldom),
                     _Alignof(struct tcp_seldom));
}

struct tcp_seldom *seldom_get(struct tcp_connection *c)
{
    if (c->seldom != NULL)
        return c->seldom;
    c->seldom = pool_take(&pool);
    if (c->seldom != NULL)
        *c->seldom = (struct tcp_seldom){.mtu = {.high = 0}};
    return c->seldom;
}

void seldom_release(struct tcp_connection *c)
{
    if (c->seldom == NULL)
        return;
    reassembly_clear(&c->seldom->reassembly);
    pool_give(&pool, c->seldom);
    c->seldom = NULL;
}

void seldom_leave(struct tcp_connection *c)
{
    c->is_urgent = false;
    if (!c->has_urgent || c->is_orphan) {
        seldom_release(c);
        return;
    }
    reassembly_clear(&c->seldom->reassembly);
    c->seldom->mtu.high = 0;
}

void seldom_tidy(struct tcp_connection *c)
{
    const struct tcp_seldom *seldom = c->seldom;

    if (seldom == NULL || seldom->reassembly.first != NULL ||
        seldom->mtu.high != 0 || c->has_urgent || c->is_urgent)
        return;
    if (c->has_sack && tcp_settings.dsack &&
        seq_before(seldom->reassembly.duplicate.left,
                   seldom->reassembly.duplicate.right))
        return; /* the next ACK tells it */
    seldom_release(c);
}
