/* SPDX-License-Identifier: MIT */
/*
 * In the place of print_floating.c, for apps whose sources hold no format with
 * %f, %e or %g (the Makefile looks): what is printed so all the same, by a
 * format that was put together while it ran, is taken and shown as "?".
 */
#include "libc/system/print_floating.h"

void print_floating(struct format_sink *sink, const struct format_spec *spec,
                    struct format_arguments *arguments)
{
    if (spec->length == 'L')
        (void)va_arg(arguments->list, long double);
    else
        (void)va_arg(arguments->list, double);
    format_write(sink, "?", 1);
}
