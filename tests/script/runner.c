/* SPDX-License-Identifier: MIT */
/*
 * Runs packet scripts, each in a process of its own, two at a time:
 *   runner [-v] [-c] [-j N] file|folder...
 * Prints `not ok` and why for what fails, `ok` for the rest with -v, and
 * closes with "N passed, M failed".
 */
#include "tests/script/play.h"
#include "tests/script/stage.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    JOBS_MAX = 16,
    REAL_SECONDS_MAX = 60, /* for one script */
    OUTPUT_MAX = 1 << 16,
    EXIT_LACKING = 77, /* of a script this stage cannot show */
};

struct job {
    pid_t process; /* 0: free */
    const char *file;
    FILE *output;
};

static struct {
    char **files;
    size_t count;
    size_t room;
    unsigned options;
    unsigned passed;
    unsigned failed;
    unsigned lacking;
    struct job jobs[JOBS_MAX];
} run;

static void add_file(const char *path)
{
    if (run.count == run.room) {
        run.room = run.room == 0 ? 256 : 2 * run.room;
        run.files = realloc(run.files, run.room * sizeof(run.files[0]));
    }
    if (run.files == NULL || (run.files[run.count++] = strdup(path)) == NULL)
        abort();
}

static void add_path(const char *path)
{
    struct stat status;
    struct dirent *entry;

    if (stat(path, &status) != 0) {
        perror(path);
        exit(2);
    }
    if (!S_ISDIR(status.st_mode)) {
        add_file(path);
        return;
    }
    DIR *folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char name[4096];
        const char *end = strrchr(entry->d_name, '.');
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        bool is_script = end != NULL && strcmp(end, ".pkt") == 0;
        if (entry->d_name[0] != '.' &&
            (is_script ||
             (stat(name, &status) == 0 && S_ISDIR(status.st_mode))))
            add_path(name);
    }
    if (folder != NULL)
        closedir(folder);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static _Noreturn void child(const char *file, FILE *output)
{
    dup2(fileno(output), STDOUT_FILENO);
    dup2(fileno(output), STDERR_FILENO);
    alarm(REAL_SECONDS_MAX);
    const struct script *script = script_read(file);
    const char *lacking = stage_lacks(script);
    if (lacking != NULL) {
        printf("    cannot be seen here: %s\n", lacking);
        fflush(stdout);
        _exit(EXIT_LACKING);
    }
    play(script, run.options);
    _exit(0);
}

static void begin(struct job *job, const char *file)
{
    job->file = file;
    job->output = tmpfile();
    fflush(stdout);
    job->process = job->output == NULL ? -1 : fork();
    if (job->process == 0)
        child(file, job->output);
    if (job->process < 0) {
        perror("a process for a script");
        exit(2);
    }
}

static void copy_output(FILE *output)
{
    static char text[OUTPUT_MAX];

    rewind(output);
    size_t length = fread(text, 1, sizeof(text), output);
    fwrite(text, 1, length, stdout);
}

static void end_one(void)
{
    int status;
    pid_t process = wait(&status);

    for (size_t i = 0; i < JOBS_MAX; i++) {
        struct job *job = &run.jobs[i];
        if (process <= 0 || job->process != process)
            continue;
        bool has_passed = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        bool is_lacking =
            WIFEXITED(status) && WEXITSTATUS(status) == EXIT_LACKING;
        bool has_failed = !has_passed && !is_lacking;
        run.passed += has_passed;
        run.lacking += is_lacking;
        run.failed += has_failed;
        if (has_failed || (run.options & PLAY_VERBOSE) != 0) {
            printf("%s %s\n", has_failed ? "not ok" : "ok", job->file);
            copy_output(job->output);
        }
        if (WIFSIGNALED(status))
            printf("    ended by signal %d\n", WTERMSIG(status));
        fclose(job->output);
        job->process = 0;
        return;
    }
}

static void run_all(size_t jobs)
{
    size_t next = 0;
    size_t running = 0;

    while (next < run.count || running > 0) {
        for (size_t i = 0; i < jobs && next < run.count; i++) {
            if (run.jobs[i].process == 0) {
                begin(&run.jobs[i], run.files[next++]);
                running++;
            }
        }
        end_one();
        running--;
    }
}

int main(int argc, char **argv)
{
    size_t jobs = 2;
    int option;

    while ((option = getopt(argc, argv, "vcj:")) != -1) {
        if (option == 'v')
            run.options |= PLAY_VERBOSE;
        else if (option == 'c')
            run.options |= PLAY_CAPTURE;
        else if (option == 'j')
            jobs = (size_t)atoi(optarg);
        else
            return 2;
    }
    if (jobs == 0 || jobs > JOBS_MAX)
        jobs = 2;
    for (int i = optind; i < argc; i++)
        add_path(argv[i]);
    if (run.count == 0) {
        fprintf(stderr, "usage: %s [-v] [-c] [-j N] file|folder...\n", argv[0]);
        return 2;
    }
    qsort(run.files, run.count, sizeof(run.files[0]), by_name);
    run_all(jobs);
    if (run.lacking > 0)
        printf("%u scripts look at what cannot be seen here\n", run.lacking);
    printf("%u passed, %u failed\n", run.passed, run.failed);
    return run.failed == 0 ? 0 : 1;
}
