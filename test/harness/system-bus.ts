import { readFileSync } from 'node:fs';

const RULES = readFileSync(new URL('../../dbus/org.dmabroker1.conf', import.meta.url), 'utf8');

/** What a system bus allows when no service's file says more (dbus-daemon's system.conf), and then our file. */
export const SYSTEM_BUS_CONFIG = `<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  ${/<busconfig>([\s\S]*)<\/busconfig>/.exec(RULES)?.[1] ?? ''}
</busconfig>`;
