/*
 * A client that measures: reads commands from stdin, one a line, and answers each with a line of nanoseconds, one number
 * a round. What a round needs besides the call that is measured, such as giving the memory back, is not timed.
 *
 *   connections N        opens N connections, in the place of those it has; each is one client
 *   device NAME [USE]    adds a device to the request, with a use or without;  device - takes all away
 *   image WIDTH HEIGHT FORMAT | size BYTES        what is asked for
 *   echo NAME            the echo service that is asked
 *   service NAME         who is asked for memory;  service - is dmabroker
 *   empty ROUNDS         a method of the echo service that does nothing
 *   descriptor ROUNDS    one that returns a descriptor
 *   allocate ROUNDS COUNT            Allocate; after the last one closes the descriptors and calls Release for all
 *   hold ROUNDS COUNT    Allocate over all connections in turn, and nothing is given back but the descriptors
 *   explain ROUNDS       Explain
 *   pool PATH            tells, in the place of nanoseconds, what lies ready in a pool, in bytes, and its misses
 *   heap PATH BYTES ROUNDS           DMA_HEAP_IOCTL_ALLOC
 *   memfd BYTES ROUNDS   memfd_create, ftruncate, and pages made by fallocate
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/dma-heap.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "names.h"

#define POOL "org.dmabroker1.Pool"
#define LONGEST_NAME 255
#define MOST_DEVICES 64
#define MOST_COUNT 16

static const char *address;
static sd_bus **buses;
static int connections;

static char echo_name[LONGEST_NAME + 1] = ECHO;
static char service_name[LONGEST_NAME + 1] = SERVICE;
static char *devices[MOST_DEVICES];
static char *uses[MOST_DEVICES];
static int device_count;
static uint32_t width, height;
static char format[8];
static uint64_t size;

__attribute__((noreturn)) static void fail(const char *what, const char *why) {
  fprintf(stderr, "load: %s: %s\n", what, why);
  exit(1);
}

static void check(int result, const char *what) {
  if (result < 0) fail(what, strerror(-result));
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void told(uint64_t start) { printf("%" PRIu64 " ", now() - start); }

static sd_bus *open_bus(void) {
  sd_bus *bus = NULL;
  check(sd_bus_new(&bus), "a bus");
  check(sd_bus_set_address(bus, address), "the address");
  check(sd_bus_set_bus_client(bus, 1), "a client");
  check(sd_bus_negotiate_fds(bus, 1), "descriptors");
  check(sd_bus_start(bus), "connecting");
  /* Waits until the bus has taken it in: its queue of those that wait to connect is short. */
  const char *name;
  check(sd_bus_get_unique_name(bus, &name), "connecting");
  return bus;
}

static void keep(int wanted) {
  while (connections > wanted) sd_bus_flush_close_unref(buses[--connections]);
  buses = realloc(buses, sizeof(*buses) * (size_t)(wanted + 1));
  if (buses == NULL) fail("connections", "no memory");
  while (connections < wanted) {
    buses[connections] = open_bus();
    connections += 1;
  }
}

/* Sends a call and takes the reply; the caller unrefs it. */
static sd_bus_message *answered(sd_bus *bus, sd_bus_message *call, const char *what) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message *reply = NULL;
  int result = sd_bus_call(bus, call, 0, &error, &reply);
  if (result < 0) fail(what, error.message != NULL ? error.message : strerror(-result));
  sd_bus_message_unref(call);
  return reply;
}

static sd_bus_message *echo(const char *member) {
  sd_bus_message *call = NULL;
  check(sd_bus_message_new_method_call(buses[0], &call, echo_name, ECHO_OBJECT, ECHO, member), member);
  return answered(buses[0], call, member);
}

static void append(sd_bus_message *call, const char *key, const char *type, ...) {
  va_list values;
  check(sd_bus_message_open_container(call, 'e', "sv"), key);
  check(sd_bus_message_append(call, "s", key), key);
  check(sd_bus_message_open_container(call, 'v', type), key);
  va_start(values, type);
  check(sd_bus_message_appendv(call, type, values), key);
  va_end(values);
  check(sd_bus_message_close_container(call), key);
  check(sd_bus_message_close_container(call), key);
}

/* A call with the request that was described. A count of 0 is left out. */
static sd_bus_message *request(sd_bus *bus, const char *member, uint32_t count) {
  sd_bus_message *call = NULL;
  check(sd_bus_message_new_method_call(bus, &call, service_name, OBJECT, INTERFACE, member), member);
  check(sd_bus_message_open_container(call, 'a', "(sa{sv})"), member);
  for (int i = 0; i < device_count; i += 1) {
    if (uses[i][0] == '\0') check(sd_bus_message_append(call, "(sa{sv})", devices[i], 0), devices[i]);
    else check(sd_bus_message_append(call, "(sa{sv})", devices[i], 1, "uses", "as", 1, uses[i]), devices[i]);
  }
  check(sd_bus_message_close_container(call), member);
  check(sd_bus_message_open_container(call, 'a', "{sv}"), member);
  if (size > 0) {
    append(call, "size", "t", size);
  } else {
    append(call, "width", "u", width);
    append(call, "height", "u", height);
    append(call, "format", "s", format);
  }
  if (count > 0) append(call, "count", "u", count);
  check(sd_bus_message_close_container(call), member);
  return answered(bus, call, member);
}

/* Reads the path and the descriptors of Allocate's reply; the descriptors are copies of the message's. */
static int grant(sd_bus_message *reply, char *path, size_t room, int *fds) {
  const char *allocation;
  int count = 0;
  check(sd_bus_message_read(reply, "o", &allocation), "the allocation");
  snprintf(path, room, "%s", allocation);
  check(sd_bus_message_skip(reply, "a{sv}"), "the layout");
  check(sd_bus_message_enter_container(reply, 'a', "h"), "the descriptors");
  int fd, more;
  while ((more = sd_bus_message_read(reply, "h", &fd)) > 0) {
    if (count == MOST_COUNT) fail("Allocate", "too many descriptors");
    fds[count++] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  }
  check(more, "a descriptor");
  return count;
}

static void drop(const int *fds, int count) {
  for (int i = 0; i < count; i += 1) close(fds[i]);
}

static void give_back(sd_bus *bus, const char *path) {
  sd_bus_message *call = NULL;
  check(sd_bus_message_new_method_call(bus, &call, service_name, OBJECT, INTERFACE, "Release"), "Release");
  check(sd_bus_message_append(call, "o", path), "Release");
  sd_bus_message_unref(answered(bus, call, "Release"));
}

struct granted {
  char path[128];
  int fds[MOST_COUNT];
  int count;
};

static void allocate(long rounds, long count, int holds) {
  struct granted *all = calloc((size_t)rounds, sizeof(*all));
  if (all == NULL) fail("allocate", "no memory");
  for (long round = 0; round < rounds; round += 1) {
    struct granted *one = &all[round];
    sd_bus *bus = buses[holds ? round % connections : 0];
    uint64_t start = now();
    sd_bus_message *reply = request(bus, "Allocate", (uint32_t)count);
    one->count = grant(reply, one->path, sizeof(one->path), one->fds);
    told(start);
    sd_bus_message_unref(reply);
    if (holds) drop(one->fds, one->count);
  }
  for (long round = 0; !holds && round < rounds; round += 1) {
    drop(all[round].fds, all[round].count);
    give_back(buses[0], all[round].path);
  }
  free(all);
}

static void from_heap(const char *path, uint64_t bytes, long rounds) {
  int heap = open(path, O_RDWR | O_CLOEXEC);
  if (heap < 0) fail(path, strerror(errno));
  for (long round = 0; round < rounds; round += 1) {
    struct dma_heap_allocation_data data = {.len = bytes, .fd_flags = O_RDWR | O_CLOEXEC};
    uint64_t start = now();
    if (ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data) < 0) fail("DMA_HEAP_IOCTL_ALLOC", strerror(errno));
    told(start);
    close((int)data.fd);
  }
  close(heap);
}

static void from_memfd(uint64_t bytes, long rounds) {
  for (long round = 0; round < rounds; round += 1) {
    uint64_t start = now();
    int fd = memfd_create("bench", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0 || fallocate(fd, 0, 0, (off_t)bytes) < 0)
      fail("memfd", strerror(errno));
    told(start);
    close(fd);
  }
}

static void from_echo(int wants_fd, long rounds) {
  for (long round = 0; round < rounds; round += 1) {
    uint64_t start = now();
    sd_bus_message *reply = echo(wants_fd ? "Descriptor" : "Empty");
    int fd = -1;
    if (wants_fd) {
      check(sd_bus_message_read(reply, "h", &fd), "a descriptor");
      fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    }
    told(start);
    sd_bus_message_unref(reply);
    if (fd >= 0) close(fd);
  }
}

static void explain(long rounds) {
  for (long round = 0; round < rounds; round += 1) {
    uint64_t start = now();
    sd_bus_message *reply = request(buses[0], "Explain", 0);
    told(start);
    sd_bus_message_unref(reply);
  }
}

/* These two properties and nothing else: all objects at once would be a heavy request. */
static void tell_pool(const char *path) {
  static const char *const names[] = {"Warm", "Misses"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i += 1) {
    uint64_t value = 0;
    check(sd_bus_get_property_trivial(buses[0], SERVICE, path, POOL, names[i], NULL, 't', &value), names[i]);
    printf("%" PRIu64 " ", value);
  }
}

static void obey(char *line) {
  char *rest = NULL;
  const char *words[4] = {"", "", "", ""};
  int count = 0;
  for (char *word = strtok_r(line, " \n", &rest); word != NULL && count < 4; word = strtok_r(NULL, " \n", &rest))
    words[count++] = word;
  const char *verb = words[0];
  long first = atol(words[1]), second = atol(words[2]), third = atol(words[3]);
  if (strcmp(verb, "connections") == 0) {
    keep((int)first);
  } else if (strcmp(verb, "device") == 0 && strcmp(words[1], "-") == 0) {
    while (device_count > 0) free(uses[--device_count]), free(devices[device_count]);
  } else if (strcmp(verb, "device") == 0 && device_count < MOST_DEVICES) {
    devices[device_count] = strdup(words[1]);
    uses[device_count++] = strdup(words[2]);
  } else if (strcmp(verb, "image") == 0) {
    width = (uint32_t)first, height = (uint32_t)second, size = 0;
    snprintf(format, sizeof(format), "%s", words[3]);
  } else if (strcmp(verb, "size") == 0) {
    size = (uint64_t)first;
  } else if (strcmp(verb, "echo") == 0) {
    snprintf(echo_name, sizeof(echo_name), "%s", words[1]);
  } else if (strcmp(verb, "service") == 0) {
    snprintf(service_name, sizeof(service_name), "%s", strcmp(words[1], "-") == 0 ? SERVICE : words[1]);
  } else if (strcmp(verb, "empty") == 0 || strcmp(verb, "descriptor") == 0) {
    from_echo(verb[0] == 'd', first);
  } else if (strcmp(verb, "allocate") == 0 || strcmp(verb, "hold") == 0) {
    allocate(first, second, verb[0] == 'h');
  } else if (strcmp(verb, "explain") == 0) {
    explain(first);
  } else if (strcmp(verb, "pool") == 0) {
    tell_pool(words[1]);
  } else if (strcmp(verb, "heap") == 0) {
    from_heap(words[1], (uint64_t)second, third);
  } else if (strcmp(verb, "memfd") == 0) {
    from_memfd((uint64_t)first, second);
  } else {
    fail(verb, "unknown");
  }
}

int main(int argc, char **argv) {
  char line[512];
  if (argc != 2) {
    fprintf(stderr, "usage: load ADDRESS\n");
    return 2;
  }
  address = argv[1];
  keep(1);
  while (fgets(line, sizeof(line), stdin) != NULL) {
    obey(line);
    putchar('\n');
    fflush(stdout);
  }
  return 0;
}
