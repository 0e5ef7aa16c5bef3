// stamp
//
// Copies lines from standard input to standard output, each with the microseconds of the monotonic clock at which it
// came in front.
#include <stdio.h>
#include <time.h>

int main(void) {
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        printf("%lld %s", t.tv_sec * 1000000LL + t.tv_nsec / 1000, line);
        fflush(stdout);
    }
    return 0;
}
