/* Puts the wall clock of one process ahead by the seconds (a double) in the file $STEPPED_CLOCK; all other clocks stay.
   LD_PRELOAD it. libfaketime is no help here: told to leave the monotonic clock alone, it breaks clock_nanosleep(2). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static int (*real)(clockid_t, struct timespec *);
static const volatile double *ahead;

__attribute__((constructor)) static void begin(void) {
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("STEPPED_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *found = file < 0 ? MAP_FAILED : mmap(NULL, sizeof(double), PROT_READ, MAP_SHARED, file, 0);
    ahead = found == MAP_FAILED ? NULL : found;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int code = real(clock, time);
    if (code == 0 && ahead && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        double whole, part = modf(*ahead, &whole);
        time->tv_sec += (time_t)whole;
        time->tv_nsec += (long)(part * 1e9);
        if (time->tv_nsec >= 1000000000L) { time->tv_nsec -= 1000000000L; time->tv_sec++; }
        if (time->tv_nsec < 0) { time->tv_nsec += 1000000000L; time->tv_sec--; }
    }
    return code;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec time;
    (void)zone;
    int code = clock_gettime(CLOCK_REALTIME, &time);
    now->tv_sec = time.tv_sec;
    now->tv_usec = time.tv_nsec / 1000;
    return code;
}
