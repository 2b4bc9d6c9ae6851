/*
 * For LD_PRELOAD: faults of the disk under one directory, chosen by the environment.
 *
 *   RAFTKV_FAULT_DIRECTORY  files and directories below it are meant
 *   RAFTKV_FAULT_CALL       number of the writing or syncing call that fails with EIO, from 1; all others succeed
 *   RAFTKV_FAULT_EFFECT     "lost": the failing call does nothing. "kept": it writes, so that the bytes can be read, and syncs nothing
 *   RAFTKV_FAULT_DELAY_FILE while this file exists, each durable call takes as many milliseconds longer as it says
 *   RAFTKV_FAULT_REPORT     a file that gets a line for each failed call: its name, and the path
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;

static int path_of(int fd, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, size - 1);
  if (length < 0) return 0;
  path[length] = 0;
  const char *directory = getenv("RAFTKV_FAULT_DIRECTORY");
  return directory != NULL && strncmp(path, directory, strlen(directory)) == 0;
}

static void delay(void) {
  const char *path = getenv("RAFTKV_FAULT_DELAY_FILE");
  FILE *file = path == NULL ? NULL : fopen(path, "r");
  if (file == NULL) return;
  long ms = 0;
  int found = fscanf(file, "%ld", &ms);
  fclose(file);
  if (found != 1) return;
  struct timespec time = {ms / 1000, (ms % 1000) * 1000000};
  nanosleep(&time, NULL);
}

/* Whether this call on `fd` is the one that fails. */
static int fails(int fd, const char *name, int durable) {
  char path[4096];
  if (!path_of(fd, path, sizeof path)) return 0;
  if (durable) delay();
  const char *call = getenv("RAFTKV_FAULT_CALL");
  if (call == NULL || atomic_fetch_add(&calls, 1) + 1 != atol(call)) return 0;
  const char *report = getenv("RAFTKV_FAULT_REPORT");
  FILE *file = report == NULL ? NULL : fopen(report, "a");
  if (file != NULL) {
    fprintf(file, "%s %s\n", name, path);
    fclose(file);
  }
  return 1;
}

static int keeps(void) {
  const char *effect = getenv("RAFTKV_FAULT_EFFECT");
  return effect != NULL && strcmp(effect, "kept") == 0;
}

/* Whether writes to `fd` are durable when they return. */
static int writes_durably(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_DSYNC) != 0;
}

static ssize_t io_error(void) {
  errno = EIO;
  return -1;
}

int fsync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = dlsym(RTLD_NEXT, "fsync");
  return fails(fd, "fsync", 1) ? (int)io_error() : real(fd);
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = dlsym(RTLD_NEXT, "fdatasync");
  return fails(fd, "fdatasync", 1) ? (int)io_error() : real(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (real == NULL) real = dlsym(RTLD_NEXT, "pwrite64");
  int failing = fails(fd, "pwrite", writes_durably(fd));
  if (!failing) return real(fd, bytes, count, offset);
  if (keeps()) real(fd, bytes, count, offset);
  return io_error();
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
  static ssize_t (*real)(int, const struct iovec *, int, off64_t);
  if (real == NULL) real = dlsym(RTLD_NEXT, "pwritev64");
  int failing = fails(fd, "pwritev", writes_durably(fd));
  if (!failing) return real(fd, parts, count, offset);
  if (keeps()) real(fd, parts, count, offset);
  return io_error();
}
