/* SPDX-License-Identifier: MIT */
/*
 * Lines to the console and to a syslog server. Nothing waits: a message that
 * cannot be sent at once is counted as lost.
 */
#include "log.h"

#include "events.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    LINE_SIZE = 512,
    MESSAGE_SIZE = 1024, /* RFC 5426 3.2: every receiver takes 480, most 2048 */
    FACILITY_DAEMON = 3,
    FACILITY_LOCAL0 = 16, /* of the firewall */
    TEXTS = 4,
    YEAR_SECONDS = 31536000,
};

struct log_counters log_counters;

static int descriptor = -1;
static struct sockaddr_in server;
static const char *own_host = "-";
static char texts[TEXTS][20];
static unsigned next_text;

void log_start(const char *host, uint32_t address, uint16_t port)
{
    own_host = host;
    if (address == 0)
        return;
    /* Not connected: the way there may come later, and change. */
    server = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr = {htonl(address)}};
    descriptor = socket(AF_INET, SOCK_DGRAM, 0);
}

/* RFC 5424 8.2: what strangers chose must not act on who reads it. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            *text = ' ';
}

/* RFC 5424 6.2.3: "-" while the calendar is not set. */
static void write_time(char *text, size_t size)
{
    struct timespec now;
    struct tm parts;
    size_t length;

    snprintf(text, size, "-");
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 ||
        now.tv_sec < 50L * YEAR_SECONDS || !gmtime_r(&now.tv_sec, &parts))
        return;
    length = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + length, size - length, ".%03ldZ", now.tv_nsec / 1000000);
}

void log_forward(enum log_severity severity, const char *subject,
                 const char *text)
{
    unsigned facility =
        strcmp(subject, "firewall") == 0 ? FACILITY_LOCAL0 : FACILITY_DAEMON;
    char message[MESSAGE_SIZE];
    char when[40];
    int length;

    if (descriptor < 0)
        return;
    write_time(when, sizeof(when));
    length = snprintf(message, sizeof(message), "<%u>1 %s %s gateway - %s - %s",
                      facility * 8 + (unsigned)severity, when, own_host,
                      subject, text);
    if (length < 0)
        return;
    if ((size_t)length >= sizeof(message))
        length = (int)sizeof(message) - 1;
    make_printable(message);
    if (sendto(descriptor, message, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL,
               (struct sockaddr *)&server, sizeof(server)) > 0)
        log_counters.sent++;
    else
        log_counters.lost++;
}

void log_line(enum log_severity severity, const char *subject,
              const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    make_printable(line);
    log_counters.lines++;
    printf("%s: %s\n", subject, line);
    fflush(stdout);
    events_add(subject, line);
    log_forward(severity, subject, line);
}

static char *next(void)
{
    return texts[next_text++ % TEXTS];
}

const char *log_address(uint32_t address)
{
    char *text = next();

    snprintf(text, sizeof(texts[0]), "%u.%u.%u.%u", address >> 24,
             address >> 16 & 255, address >> 8 & 255, address & 255);
    return text;
}

const char *log_hardware(const uint8_t hardware[6])
{
    char *text = next();

    snprintf(text, sizeof(texts[0]), "%02x:%02x:%02x:%02x:%02x:%02x",
             hardware[0], hardware[1], hardware[2], hardware[3], hardware[4],
             hardware[5]);
    return text;
}
