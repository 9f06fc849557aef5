# @summary One of the two configuration files, absent where nothing is to be configured by it.
# @api private
#
# @param folder    where it is
# @param settings  what is in it
# @param check     words for `mailcanary check`, in which % is the new file
define mailcanary::settings (
  String[1] $folder,
  String[1] $check,
  Optional[Hash[String, Mailcanary::Value]] $settings = undef,
) {
  if $settings =~ Undef {
    file { "${folder}/${name}.yaml":
      ensure => absent,
    }
  } else {
    file { "${folder}/${name}.yaml":
      ensure       => file,
      owner        => 'root',
      group        => 'mailcanary',
      mode         => '0640',
      content      => epp('mailcanary/settings.yaml.epp', { 'settings' => $settings }),
      validate_cmd => "/usr/bin/mailcanary check ${check}",
    }
  }
}
