/* SPDX-License-Identifier: MIT */
/*
 * See command_line.h. The text is cut into words in place, once; a word
 * remembers whether somebody took it.
 */
#include "kernel/command_line.h"

#include "kernel/console.h"

#include <limits.h>
#include <string.h>

struct word {
    char *name;
    char *value; /* NULL without '=' */
    bool is_taken;
};

static char text[COMMAND_LINE_BYTES];
static struct word words[COMMAND_LINE_WORDS];
static size_t word_count, words_lost;
static char *arguments[COMMAND_LINE_ARGUMENTS];
static int argument_count, arguments_lost;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/*
 * Cuts the next word off and removes its quotes; NULL at the end. *rest moves
 * behind it.
 */
static char *next_word(char **rest)
{
    char *from = *rest, *to, *word;
    bool is_quoted = false;

    while (is_blank(*from))
        from++;
    if (*from == '\0')
        return NULL;
    word = to = from;
    for (; *from != '\0' && (is_quoted || !is_blank(*from)); from++) {
        if (*from == '"')
            is_quoted = !is_quoted;
        else
            *to++ = *from;
    }
    if (*from != '\0')
        from++;
    *to = '\0'; /* at the latest where the blank or the end was */
    *rest = from;
    return word;
}

static void add_word(char *name)
{
    char *equals = strchr(name, '=');

    if (word_count == COMMAND_LINE_WORDS) {
        words_lost++;
        return;
    }
    if (equals != NULL)
        *equals++ = '\0';
    words[word_count++] = (struct word){.name = name, .value = equals};
}

static void add_argument(char *argument)
{
    if (argument_count == COMMAND_LINE_ARGUMENTS - 1) {
        arguments_lost++;
        return;
    }
    arguments[argument_count++] = argument;
    arguments[argument_count] = NULL;
}

void command_line_parse(const char *line, size_t length, char *app)
{
    char *rest = text, *word;
    bool is_app = false;

    word_count = words_lost = 0;
    argument_count = arguments_lost = 0;
    if (length > sizeof(text) - 1)
        length = sizeof(text) - 1;
    memcpy(text, line, length);
    text[length] = '\0';

    add_argument(app);
    while ((word = next_word(&rest)) != NULL) {
        if (is_app)
            add_argument(word);
        else if (strcmp(word, "--") == 0)
            is_app = true;
        else
            add_word(word);
    }
}

static bool is_match(const char *wanted, const char *name)
{
    size_t length = strlen(wanted);

    if (length > 0 && wanted[length - 1] == '.')
        return strncmp(wanted, name, length) == 0 && name[length] != '\0';
    return strcmp(wanted, name) == 0;
}

static void apply_word(const struct command_word *known, struct word *word)
{
    word->is_taken = true;
    if (known->apply(word->name, word->value))
        return;
    log_print(LOG_WARN, "command line", "malformed, ignored: %s%s%s",
              word->name, word->value != NULL ? "=" : "",
              word->value != NULL ? word->value : "");
}

void command_line_apply(const struct command_word *known, size_t count)
{
    for (size_t i = 0; i < word_count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (is_match(known[j].name, words[i].name))
                apply_word(&known[j], &words[i]);
        }
    }
}

const char *command_line_value(const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < word_count; i++) {
        if (strcmp(words[i].name, name) == 0) {
            words[i].is_taken = true;
            value = words[i].value != NULL ? words[i].value : "";
        }
    }
    return value;
}

void command_line_report_unknown(void)
{
    for (size_t i = 0; i < word_count; i++) {
        if (!words[i].is_taken) {
            log_print(LOG_WARN, "command line", "unknown, ignored: %s%s%s",
                      words[i].name, words[i].value != NULL ? "=" : "",
                      words[i].value != NULL ? words[i].value : "");
        }
    }
    if (words_lost > 0) {
        log_print(LOG_WARN, "command line", "%zu words too many, ignored",
                  words_lost);
    }
    if (arguments_lost > 0) {
        log_print(LOG_WARN, "command line",
                  "%d arguments of the app too many, ignored", arguments_lost);
    }
}

int command_line_app_arguments(char ***argv)
{
    *argv = arguments;
    return argument_count;
}

bool command_line_number(const char *digits, long low, long high, long *number)
{
    bool is_negative = digits[0] == '-';
    const char *at = is_negative ? digits + 1 : digits;
    long value = 0;

    if (*at == '\0')
        return false;
    for (; *at != '\0'; at++) {
        long digit = *at - '0';

        if (digit < 0 || digit > 9 || value > (LONG_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (is_negative)
        value = -value;
    if (value < low || value > high)
        return false;
    *number = value;
    return true;
}
