require 'rspec-puppet'

RSpec.configure do |config|
  # The folder in which this module is a folder.
  config.module_path = File.expand_path('../..', __dir__)
  config.default_facts = { 'os' => { 'family' => 'Debian', 'name' => 'Debian', 'release' => { 'major' => '12' } } }
end
