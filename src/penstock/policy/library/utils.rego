# Small questions about values of a config.
package circleci.utils

import rego.v1

# A set as it is, an array as a set, anything else as the only member of one.
to_set(value) := value if {
	is_set(value)
} else := {member | some member in value} if {
	is_array(value)
} else := {value}

# An array as it is, anything else as the only element of one.
to_array(value) := value if {
	is_array(value)
} else := [value]

# The name of a step, job or command that is written as a text or as a map with one key.
get_element_name(value) := value if {
	is_string(value)
} else := name if {
	is_object(value)
	count(value) == 1
	some name, _ in value
}

# Whether a text takes its value from a parameter or a pipeline value.
is_parameterized_expression(text) := regex.match(`<<\s*(pipeline|parameters)(\.[\w-]+)+\s*>>`, text)
