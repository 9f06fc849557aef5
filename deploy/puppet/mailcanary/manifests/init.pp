# @summary A mailcanary on this host: its package, its configuration and its service.
#
# What stands in $relay and $probes is written to relay.yaml and probes.yaml as it is; every key, its default and its
# reason are in the reference files of the package (/usr/share/doc/mailcanary/examples). Before a file is taken over,
# `mailcanary check` reads it: a wrong one never replaces a good one.
#
# @param relay      the relay's configuration; without it no relay runs
# @param probes     the prober's configuration; without it no prober runs
# @param secrets    contents of the files below /etc/mailcanary that the configuration names, by file name
# @param ensure     of the package: a version, installed, or latest
# @param options    further words for `mailcanary run`
#
# @example The relay alone
#   class { 'mailcanary':
#     relay   => {
#       'hostname'  => 'relay.example.org',
#       'tls'       => { 'certificate' => '/etc/mailcanary/relay.crt', 'key' => '/etc/mailcanary/relay.key' },
#       'directory' => { 'domains' => ['example.org'], 'export_file' => { 'path' => '/var/lib/misc/mail-passwords' } },
#     },
#   }
class mailcanary (
  Optional[Mailcanary::Relay]                $relay   = undef,
  Optional[Mailcanary::Probes]               $probes  = undef,
  Hash[Mailcanary::Filename, Sensitive[String]] $secrets = {},
  String[1]                                  $ensure  = 'installed',
  Array[Mailcanary::Word]                    $options = [],
) {
  contain mailcanary::install
  contain mailcanary::config
  contain mailcanary::service

  Class['mailcanary::install'] -> Class['mailcanary::config'] ~> Class['mailcanary::service']
}
