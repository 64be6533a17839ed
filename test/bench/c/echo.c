/*
 * The least that a D-Bus service can do, to measure ours against: answers an empty call, and one that returns a
 * descriptor; and calls of dmabroker's with what dmabroker answered the first of each.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-bus.h>

#include "names.h"

static int empty(sd_bus_message *call, void *context, sd_bus_error *error) {
  (void)context;
  (void)error;
  return sd_bus_reply_method_return(call, "");
}

static int descriptor(sd_bus_message *call, void *fd, sd_bus_error *error) {
  (void)error;
  return sd_bus_reply_method_return(call, "h", *(int *)fd);
}

struct answer {
  const char *member;
  sd_bus_message *kept;
};

/* Asks the real service what is asked here. */
static int learn(struct answer *answer, sd_bus_message *call, sd_bus_error *error) {
  sd_bus *bus = sd_bus_message_get_bus(call);
  sd_bus_message *asked = NULL;
  int result = sd_bus_message_new_method_call(bus, &asked, SERVICE, OBJECT, INTERFACE, answer->member);
  if (result >= 0) result = sd_bus_message_copy(asked, call, 1);
  if (result >= 0) result = sd_bus_call(bus, asked, 0, error, &answer->kept);
  sd_bus_message_unref(asked);
  return result;
}

static int same(sd_bus_message *call, void *context, sd_bus_error *error) {
  struct answer *answer = context;
  sd_bus_message *reply = NULL;
  int result = answer->kept == NULL ? learn(answer, call, error) : 0;
  if (result >= 0) result = sd_bus_message_new_method_return(call, &reply);
  if (result >= 0) result = sd_bus_message_rewind(answer->kept, 1);
  if (result >= 0) result = sd_bus_message_copy(reply, answer->kept, 1);
  if (result >= 0) result = sd_bus_send(NULL, reply, NULL);
  sd_bus_message_unref(reply);
  return result;
}

#define ANSWERS(member, out, offset) \
  SD_BUS_METHOD_WITH_OFFSET(member, "a(sa{sv})a{sv}", out, same, offset, SD_BUS_VTABLE_UNPRIVILEGED)

static struct answer answers[] = {{"Explain", NULL}, {"Allocate", NULL}};

static const sd_bus_vtable broker_methods[] = {
    SD_BUS_VTABLE_START(0),
    ANSWERS("Explain", "a{sv}", 0),
    ANSWERS("Allocate", "oa{sv}ah", sizeof(struct answer)),
    SD_BUS_METHOD("Release", "o", "", empty, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

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
  CHECK(sd_bus_add_object_vtable(bus, NULL, ECHO_OBJECT, ECHO, methods, &fd));
  CHECK(sd_bus_add_object_vtable(bus, NULL, OBJECT, INTERFACE, broker_methods, answers));
  CHECK(sd_bus_request_name(bus, ECHO, 0));
  puts("ready");
  fflush(stdout);
  for (;;) {
    int busy = sd_bus_process(bus, NULL);
    CHECK(busy);
    if (busy == 0) CHECK(sd_bus_wait(bus, UINT64_MAX));
  }
}
