# probes.yaml. `mailcanary check` knows every key; here are those without which there is no prober.
type Mailcanary::Probes = Struct[{
  origins             => Hash[String[1], Mailcanary::Value, 1],
  seeds               => Hash[String[1], Mailcanary::Value, 1],
  probes              => Array[Hash[String[1], Mailcanary::Value], 1],
  Optional[state]     => Pattern[/\A\//],
  Optional[store]     => Hash[String[1], Mailcanary::Value],
  Optional[bounces]   => Hash[String[1], Mailcanary::Value],
  Optional[contents]  => Hash[String[1], Mailcanary::Value],
  Optional[detector]  => Hash[String[1], Mailcanary::Value],
  Optional[oauth]     => Hash[String[1], Mailcanary::Value],
  Optional[providers] => Hash[String[1], Mailcanary::Value],
  Optional[imap]      => Hash[String[1], Mailcanary::Value],
  Optional[retention] => Hash[String[1], Mailcanary::Value],
  Optional[admin]     => Hash[String[1], Mailcanary::Value],
  Optional[log]       => Hash[String[1], Mailcanary::Value],
}]
