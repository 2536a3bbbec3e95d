/* SPDX-License-Identifier: MIT */
/*
 * See draft.h.
 */
#include "net/socket/draft.h"

#include "net/limits.h"
#include "net/platform.h"
#include "net/pool.h"

#include <errno.h>

static struct pool pool;

int drafts_init(size_t sockets)
{
    size_t count = sockets / STREAM_DRAFT_DIVISOR;

    return pool_init(&pool, count, sizeof(struct stream_draft),
                     _Alignof(void *));
}

size_t drafts_used(void)
{
    return pool.count - pool.available;
}

struct stream_draft draft_read(const struct socket *socket)
{
    struct stream_draft draft = {
        .local.address = ip_address_from_ipv4(be32_from(0)),
    };

    ASSERT(socket->kind == SOCKET_STREAM);
    if (socket->draft != NULL)
        return *socket->draft;
    tcp_options_init(&draft.options);
    return draft;
}

struct stream_draft *draft_of(struct socket *socket)
{
    struct stream_draft *draft;

    if (socket->draft != NULL)
        return socket->draft;
    draft = pool_take(&pool);
    if (draft == NULL)
        return NULL;
    *draft = draft_read(socket);
    socket->draft = draft;
    return draft;
}

int draft_set_option(struct socket *socket, enum tcp_option option, int value)
{
    struct stream_draft *draft = draft_of(socket);

    return draft == NULL ? -ENOBUFS
                         : tcp_options_set(&draft->options, option, value);
}

int draft_get_option(const struct socket *socket, enum tcp_option option)
{
    const struct stream_draft draft = draft_read(socket);

    return tcp_options_get(&draft.options, option);
}

void draft_release(struct socket *socket)
{
    ASSERT(socket->kind == SOCKET_STREAM);
    if (socket->draft != NULL)
        pool_give(&pool, socket->draft);
    socket->draft = NULL;
}
