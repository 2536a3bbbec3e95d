/* SPDX-License-Identifier: MIT */
/*
 * Streams: a table of FILEs, the three standard ones first. Files are only
 * read; what is written goes to the console or a socket.
 */
#include "libc/system/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct file_stream streams[FOPEN_MAX] = {
    {.descriptor = 0, .mode = _IOLBF, .pushed = EOF},
    {.descriptor = 1, .mode = _IOLBF, .pushed = EOF},
    {.descriptor = 2, .mode = _IONBF, .pushed = EOF},
};
static char own_buffers[FOPEN_MAX][BUFSIZ];
static int used_streams = 3; /* those above are free, those below may be */

FILE *const stdin = &streams[0];
FILE *const stdout = &streams[1];
FILE *const stderr = &streams[2];

static void prepare_buffer(FILE *stream)
{
    if (stream->buffer == NULL) {
        stream->buffer = own_buffers[stream - streams];
        stream->size = BUFSIZ;
    }
}

static FILE *take_stream(void)
{
    for (int i = 3; i < used_streams; i++) {
        if (streams[i].descriptor < 0)
            return &streams[i];
    }
    if (used_streams == FOPEN_MAX) {
        errno = EMFILE;
        return NULL;
    }
    streams[used_streams].descriptor = -1;
    return &streams[used_streams++];
}

FILE *fopen(const char *restrict path, const char *restrict mode)
{
    FILE *stream = take_stream();
    int flags = O_RDONLY;

    if (stream == NULL)
        return NULL;
    if (mode[0] == 'w' || mode[0] == 'a')
        flags = O_WRONLY | O_CREAT;
    else if (strchr(mode, '+') != NULL)
        flags = O_RDWR;
    *stream = (struct file_stream){.mode = _IOFBF, .pushed = EOF};
    stream->descriptor = open(path, flags, 0666);
    return stream->descriptor < 0 ? NULL : stream;
}

int fclose(FILE *stream)
{
    int result = fflush(stream);

    if (close(stream->descriptor) != 0)
        result = EOF;
    stream->descriptor = -1;
    return result;
}

static int flush_one(FILE *stream)
{
    size_t done = 0;

    if (!stream->is_writing)
        return 0;
    while (done < stream->filled) {
        ssize_t length = write(stream->descriptor, stream->buffer + done,
                               stream->filled - done);

        if (length < 0) {
            stream->is_error = true;
            stream->filled = 0;
            return EOF;
        }
        done += (size_t)length;
    }
    stream->filled = 0;
    return 0;
}

int fflush(FILE *stream)
{
    int result = 0;

    if (stream != NULL)
        return flush_one(stream);
    for (int i = 0; i < used_streams; i++) {
        if (streams[i].descriptor >= 0 && flush_one(&streams[i]) != 0)
            result = EOF;
    }
    return result;
}

void stream_write(FILE *stream, const char *bytes, size_t length)
{
    bool has_line =
        stream->mode == _IOLBF && memrchr(bytes, '\n', length) != NULL;

    prepare_buffer(stream);
    if (!stream->is_writing) {
        stream->is_writing = true;
        stream->filled = stream->position = 0;
    }
    while (length > 0) {
        size_t room = stream->size - stream->filled;
        size_t part = length < room ? length : room;

        memcpy(stream->buffer + stream->filled, bytes, part);
        stream->filled += part;
        bytes += part;
        length -= part;
        if (stream->filled == stream->size && flush_one(stream) != 0)
            return;
    }
    if (has_line)
        (void)flush_one(stream);
}

int stream_finish(FILE *stream)
{
    if (stream->mode == _IONBF)
        (void)flush_one(stream);
    return stream->is_error ? EOF : 0;
}

size_t fwrite(const void *restrict items, size_t size, size_t count,
              FILE *restrict stream)
{
    if (size == 0 || count == 0)
        return 0;
    stream_write(stream, items, size * count);
    return stream_finish(stream) == 0 ? count : 0;
}

/* True when at least one byte is in the buffer. */
static bool fill(FILE *stream)
{
    ssize_t length;

    if (stream->position < stream->filled)
        return true;
    prepare_buffer(stream);
    if (stream == stdin)
        (void)flush_one(stdout); /* a prompt without a newline */
    length = read(stream->descriptor, stream->buffer, stream->size);
    stream->position = 0;
    stream->filled = length > 0 ? (size_t)length : 0;
    stream->is_end |= length == 0;
    stream->is_error |= length < 0;
    return length > 0;
}

int fgetc(FILE *stream)
{
    int pushed = stream->pushed;

    if (pushed != EOF) {
        stream->pushed = EOF;
        return pushed;
    }
    if (!fill(stream))
        return EOF;
    return (unsigned char)stream->buffer[stream->position++];
}

size_t fread(void *restrict items, size_t size, size_t count,
             FILE *restrict stream)
{
    char *to = items;
    size_t wanted = size * count;
    size_t done = 0;

    if (wanted == 0)
        return 0;
    if (stream->pushed != EOF) {
        to[done++] = (char)stream->pushed;
        stream->pushed = EOF;
    }
    while (done < wanted && fill(stream)) {
        size_t part = stream->filled - stream->position;

        if (part > wanted - done)
            part = wanted - done;
        memcpy(to + done, stream->buffer + stream->position, part);
        stream->position += part;
        done += part;
    }
    return done / size;
}

int ungetc(int character, FILE *stream)
{
    if (character == EOF || stream->pushed != EOF)
        return EOF;
    stream->pushed = (unsigned char)character;
    stream->is_end = false;
    return character;
}

off_t ftello(FILE *stream)
{
    off_t offset = lseek(stream->descriptor, 0, SEEK_CUR);

    if (offset < 0 || stream->is_writing)
        return offset;
    return offset - (off_t)(stream->filled - stream->position) -
           (stream->pushed != EOF ? 1 : 0);
}

int fseeko(FILE *stream, off_t offset, int origin)
{
    if (flush_one(stream) != 0)
        return -1;
    if (origin == SEEK_CUR) {
        off_t here = ftello(stream);

        if (here < 0)
            return -1;
        offset += here;
        origin = SEEK_SET;
    }
    if (lseek(stream->descriptor, offset, origin) < 0)
        return -1;
    stream->filled = stream->position = 0;
    stream->pushed = EOF;
    stream->is_end = false;
    return 0;
}

int setvbuf(FILE *restrict stream, char *restrict buffer, int mode, size_t size)
{
    if (mode != _IOFBF && mode != _IOLBF && mode != _IONBF)
        return -1;
    (void)flush_one(stream);
    stream->mode = mode;
    if (buffer != NULL && size > 0 && mode != _IONBF) {
        stream->buffer = buffer;
        stream->size = size;
    }
    return 0;
}

int feof(FILE *stream)
{
    return stream->is_end;
}

int ferror(FILE *stream)
{
    return stream->is_error;
}

void clearerr(FILE *stream)
{
    stream->is_end = stream->is_error = false;
}

int fileno(FILE *stream)
{
    return stream->descriptor;
}
