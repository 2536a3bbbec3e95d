/* SPDX-License-Identifier: MIT */
/*
 * Formatted output, and streams over the console and the read-only files of
 * the module. stdout is line buffered, stderr unbuffered. snprintf and
 * vsnprintf are the apps' (they know floating point); kernel and net use
 * libc/pure/format.h. Of the scanf family there is what reads a text.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

#define EOF          (-1)
#define BUFSIZ       1024
#define FILENAME_MAX 4096
#define FOPEN_MAX    16
#define SEEK_SET     0
#define SEEK_CUR     1
#define SEEK_END     2
#define _IOFBF       0
#define _IOLBF       1
#define _IONBF       2

typedef struct file_stream FILE;

extern FILE *const stdin;
extern FILE *const stdout;
extern FILE *const stderr;

int printf(const char *restrict format, ...)
    __attribute__((format(printf, 1, 2)));
int fprintf(FILE *restrict stream, const char *restrict format, ...)
    __attribute__((format(printf, 2, 3)));
int dprintf(int descriptor, const char *restrict format, ...)
    __attribute__((format(printf, 2, 3)));
int sprintf(char *restrict buffer, const char *restrict format, ...)
    __attribute__((format(printf, 2, 3)));
int snprintf(char *restrict buffer, size_t size, const char *restrict format,
             ...) __attribute__((format(printf, 3, 4)));
int asprintf(char **text, const char *restrict format, ...)
    __attribute__((format(printf, 2, 3)));
int vprintf(const char *restrict format, va_list arguments)
    __attribute__((format(printf, 1, 0)));
int vfprintf(FILE *restrict stream, const char *restrict format,
             va_list arguments) __attribute__((format(printf, 2, 0)));
int vdprintf(int descriptor, const char *restrict format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
int vsprintf(char *restrict buffer, const char *restrict format,
             va_list arguments) __attribute__((format(printf, 2, 0)));
int vsnprintf(char *restrict buffer, size_t size, const char *restrict format,
              va_list arguments) __attribute__((format(printf, 3, 0)));
int vasprintf(char **text, const char *restrict format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

int sscanf(const char *restrict text, const char *restrict format, ...)
    __attribute__((format(scanf, 2, 3)));
int vsscanf(const char *restrict text, const char *restrict format,
            va_list arguments) __attribute__((format(scanf, 2, 0)));

FILE *fopen(const char *restrict path, const char *restrict mode);
int fclose(FILE *stream);
size_t fread(void *restrict items, size_t size, size_t count,
             FILE *restrict stream);
size_t fwrite(const void *restrict items, size_t size, size_t count,
              FILE *restrict stream);
char *fgets(char *restrict buffer, int size, FILE *restrict stream);
int fgetc(FILE *stream);
int getc(FILE *stream);
int getchar(void);
int ungetc(int character, FILE *stream);
ssize_t getline(char **restrict line, size_t *restrict size,
                FILE *restrict stream);
int fputs(const char *restrict text, FILE *restrict stream);
int fputc(int character, FILE *stream);
int putc(int character, FILE *stream);
int putchar(int character);
int puts(const char *text);
int fflush(FILE *stream);
int setvbuf(FILE *restrict stream, char *restrict buffer, int mode,
            size_t size);
void setbuf(FILE *restrict stream, char *restrict buffer);
int fseek(FILE *stream, long offset, int origin);
int fseeko(FILE *stream, off_t offset, int origin);
long ftell(FILE *stream);
off_t ftello(FILE *stream);
void rewind(FILE *stream);
int feof(FILE *stream);
int ferror(FILE *stream);
void clearerr(FILE *stream);
int fileno(FILE *stream);
void perror(const char *prefix);
