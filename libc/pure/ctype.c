/* SPDX-License-Identifier: MIT */
/*
 * ASCII classes by range. Arguments are an unsigned char's value or EOF;
 * anything else is in no class instead of an array overrun.
 */
#include <ctype.h>
#include <stdbool.h>

static inline bool is_between(int character, int low, int high)
{
    return character >= low && character <= high;
}

int isdigit(int character)
{
    return is_between(character, '0', '9');
}

int islower(int character)
{
    return is_between(character, 'a', 'z');
}

int isupper(int character)
{
    return is_between(character, 'A', 'Z');
}

int isalpha(int character)
{
    return islower(character) || isupper(character);
}

int isalnum(int character)
{
    return isalpha(character) || isdigit(character);
}

int isxdigit(int character)
{
    return isdigit(character) || is_between(character, 'a', 'f') ||
           is_between(character, 'A', 'F');
}

int isascii(int character)
{
    return is_between(character, 0, 127);
}

int isblank(int character)
{
    return character == ' ' || character == '\t';
}

int isspace(int character)
{
    return character == ' ' || is_between(character, '\t', '\r');
}

int iscntrl(int character)
{
    return is_between(character, 0, 31) || character == 127;
}

int isprint(int character)
{
    return is_between(character, ' ', '~');
}

int isgraph(int character)
{
    return is_between(character, '!', '~');
}

int ispunct(int character)
{
    return isgraph(character) && !isalnum(character);
}

int tolower(int character)
{
    return isupper(character) ? character - 'A' + 'a' : character;
}

int toupper(int character)
{
    return islower(character) ? character - 'a' + 'A' : character;
}
