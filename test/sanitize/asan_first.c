// Loaded into the server with AddressSanitizer, as the library that the linker initialises first.
//
// The sanitizer comes to life at a process's first allocation. Were that one inside bindtextdomain, which a library of
// the server's calls when it is loaded, the sanitizer's own look for a symbol that there is not would ask for the
// translation of "undefined symbol", whose lock is held: the server would hang.

#include <stdlib.h>

__attribute__((constructor)) static void allocate(void)
{
    void *volatile memory = malloc(1);
    free(memory);
}
