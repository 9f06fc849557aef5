# @summary The service; it restarts for a changed configuration, which drains its sessions first.
# @api private
class mailcanary::service {
  $wanted = $mailcanary::relay =~ NotUndef or $mailcanary::probes =~ NotUndef

  service { 'mailcanary':
    ensure => $wanted,
    enable => $wanted,
  }
}
