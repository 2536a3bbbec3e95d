/* SPDX-License-Identifier: MIT */
/*
 * gethostname, and where its first answer comes from.
 */
#include <criterion/criterion.h>
#include <string.h>

#define gethostname ferrule_gethostname
#define sethostname ferrule_sethostname
#include "libc/system/host_name.c"
#undef gethostname
#undef sethostname

static const char *ip_word;

const char *command_line_value(const char *name)
{
    return strcmp(name, "ip") == 0 ? ip_word : NULL;
}

static void assert_name(const char *word, const char *expected)
{
    char name[HOST_NAME_MAX + 1];

    ip_word = word;
    host_name[0] = '\0';
    cr_assert_eq(ferrule_gethostname(name, sizeof(name)), 0);
    cr_assert_str_eq(name, expected);
}

Test(libc_host_name, first_name_is_that_of_the_ip_word)
{
    assert_name("10.9.0.2::10.9.0.1:255.255.255.0:web:eth0:none", "web");
    assert_name("::::web", "web");
    assert_name("10.9.0.2/24", "ferrule");
    assert_name("10.9.0.2::::", "ferrule");
    assert_name("dhcp", "ferrule");
    assert_name(NULL, "ferrule");
}

Test(libc_host_name, what_is_set_counts_and_must_fit)
{
    char name[HOST_NAME_MAX + 2];

    memset(name, 'a', sizeof(name));
    cr_assert_eq(ferrule_sethostname("mine", 4), 0);
    cr_assert_eq(ferrule_gethostname(name, sizeof(name)), 0);
    cr_assert_str_eq(name, "mine");
    errno = 0;
    cr_assert_eq(ferrule_gethostname(name, 4), -1);
    cr_assert_eq(errno, ENAMETOOLONG);
    errno = 0;
    cr_assert_eq(ferrule_sethostname(name, HOST_NAME_MAX + 1), -1);
    cr_assert_eq(errno, EINVAL);
}
