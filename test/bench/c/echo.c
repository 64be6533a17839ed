/* The least that a D-Bus service can do, to measure ours against: answers an empty call, and one that returns a descriptor. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-bus.h>

static int empty(sd_bus_message *call, void *context, sd_bus_error *error) {
  (void)context;
  (void)error;
  return sd_bus_reply_method_return(call, "");
}

static int descriptor(sd_bus_message *call, void *fd, sd_bus_error *error) {
  (void)error;
  return sd_bus_reply_method_return(call, "h", *(int *)fd);
}

static const sd_bus_vtable methods[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Empty", "", "", empty, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Descriptor", "", "h", descriptor, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

#define CHECK(expression)                                                   \
  do {                                                                      \
    int result_ = (expression);                                             \
    if (result_ < 0) {                                                      \
      fprintf(stderr, "echo: %s: %s\n", #expression, strerror(-result_));   \
      return 1;                                                             \
    }                                                                       \
  } while (0)

int main(int argc, char **argv) {
  sd_bus *bus = NULL;
  int fd = memfd_create("echo", MFD_CLOEXEC);
  if (argc != 2 || fd < 0) {
    fprintf(stderr, "usage: echo ADDRESS\n");
    return 2;
  }
  CHECK(sd_bus_new(&bus));
  CHECK(sd_bus_set_address(bus, argv[1]));
  CHECK(sd_bus_set_bus_client(bus, 1));
  CHECK(sd_bus_negotiate_fds(bus, 1));
  CHECK(sd_bus_start(bus));
  CHECK(sd_bus_add_object_vtable(bus, NULL, "/echo", "dmabroker.bench.Echo", methods, &fd));
  CHECK(sd_bus_request_name(bus, "dmabroker.bench.Echo", 0));
  puts("ready");
  fflush(stdout);
  for (;;) {
    int busy = sd_bus_process(bus, NULL);
    CHECK(busy);
    if (busy == 0) CHECK(sd_bus_wait(bus, UINT64_MAX));
  }
}
