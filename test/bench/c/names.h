/* Who is asked, by what measures and by what it is measured against. */
#define SERVICE "org.dmabroker1"
#define OBJECT "/org/dmabroker1"
#define INTERFACE "org.dmabroker1.Broker"
#define ECHO "dmabroker.bench.Echo"
#define ECHO_OBJECT "/echo"
