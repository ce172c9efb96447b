// Loaded into the server beside AddressSanitizer and UndefinedBehaviorSanitizer, and initialised before any other
// library.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

// AddressSanitizer comes to life at a process's first allocation. Were that one inside bindtextdomain, which a library
// of the server's calls when it is loaded, the sanitizer's own look for a symbol that there is not would ask for the
// translation of "undefined symbol", whose lock is held: the server would hang.
static void allocate(void)
{
    void *volatile memory = malloc(1);
    free(memory);
}

// Of the two, each with a report file of its own, only AddressSanitizer's follows log_path: what the other one sets is
// the first one's, too.
static void set_report_path(const char *path)
{
    void *ubsan = dlopen("libubsan.so.1", RTLD_NOW | RTLD_NOLOAD);
    void (*set)(const char *) = ubsan ? (void (*)(const char *))dlsym(ubsan, "__sanitizer_set_report_path") : NULL;
    if (set && path)
        set(path);
}

// Before the C library, which has not looked for its environment yet.
__attribute__((constructor)) static void start(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv;
    environ = envp;
    allocate();
    set_report_path(getenv("GRAVITAS_FINDINGS"));
}
