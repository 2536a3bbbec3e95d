/* SPDX-License-Identifier: MIT */
/*
 * Criterion brings libgit2 along, which parses every certificate of the
 * machine when a program starts; and each test is a program of its own. No
 * test wants them: 40 % of the time of short ones is saved by this function,
 * which stands before mbedtls' own of that name.
 */
int mbedtls_x509_crt_parse_file(void *chain, const char *path);

int mbedtls_x509_crt_parse_file(void *chain, const char *path)
{
    (void)chain;
    (void)path;
    return 0;
}
