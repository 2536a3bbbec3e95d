/* SPDX-License-Identifier: MIT */
/*
 * Percent-decoding (RFC 3986 2.1) and normalisation. Decoding comes first and
 * happens once; every check is made on the decoded bytes, so no way of
 * escaping a dot or a slash passes them. A ".." is refused, not resolved:
 * clients resolve it themselves (RFC 3986 5.2.4), only attackers send it.
 */
#include "target.h"

#include <string.h>

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* One byte off the front of `rest`; -1 for a malformed escape or a NUL. */
static int next_byte(struct slice *rest)
{
    int byte = (unsigned char)rest->bytes[0];
    size_t taken = 1;

    if (byte == '%') {
        int high = rest->length >= 3 ? hex_value(rest->bytes[1]) : -1;
        int low = rest->length >= 3 ? hex_value(rest->bytes[2]) : -1;

        if (high < 0 || low < 0)
            return -1;
        byte = high * 16 + low;
        taken = 3;
    }
    rest->bytes += taken;
    rest->length -= taken;
    return byte == 0 ? -1 : byte;
}

/* Called at the end of every segment that began at `start`: drops "." and
 * empty ones. Returns the new length, or 0 if the segment is "..". */
static size_t close_segment(const char *path, size_t start, size_t length)
{
    size_t segment = length - start;

    if (segment == 2 && path[start] == '.' && path[start + 1] == '.')
        return 0;
    if (segment == 1 && path[start] == '.')
        return start;
    return length;
}

bool target_decode(struct slice escaped, char *path, size_t capacity)
{
    size_t length = 1;
    size_t start = 1;

    if (capacity < 2 || escaped.length == 0 || escaped.bytes[0] != '/') {
        /* "http://host?query" has an empty path, which means "/". */
        if (capacity < 2 || escaped.length != 0)
            return false;
    }
    path[0] = '/';
    while (escaped.length > 0) {
        int byte = next_byte(&escaped);

        if (byte < 0 || length + 1 >= capacity)
            return false;
        if (byte != '/') {
            path[length++] = (char)byte;
            continue;
        }
        length = close_segment(path, start, length);
        if (length == 0)
            return false;
        if (path[length - 1] != '/')
            path[length++] = '/';
        start = length;
    }
    length = close_segment(path, start, length);
    if (length == 0)
        return false;
    path[length] = '\0';
    return true;
}

bool target_is_hidden(const char *path)
{
    const char *dot = path;

    if (strncmp(path, "/.well-known/", 13) == 0)
        dot += 12;
    return strstr(dot, "/.") != NULL;
}

bool target_encode(const char *path, char *escaped, size_t capacity)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t length = 0;

    for (; *path; path++) {
        unsigned char byte = (unsigned char)*path;
        bool is_plain = (byte >= 'a' && byte <= 'z') ||
                        (byte >= 'A' && byte <= 'Z') ||
                        (byte >= '0' && byte <= '9') ||
                        strchr("/-._~!$&'()*+,;=:@", byte) != NULL;

        if (length + 4 > capacity)
            return false;
        if (is_plain) {
            escaped[length++] = (char)byte;
            continue;
        }
        escaped[length++] = '%';
        escaped[length++] = digits[byte >> 4];
        escaped[length++] = digits[byte & 15];
    }
    escaped[length] = '\0';
    return true;
}
