// Source of the macros: man(7), groff_man(7).
#include "cli/man_page.h"

#include <algorithm>
#include <cctype>

#include "cli/help.h"

namespace mv::cli {
namespace {

// Text for roff: backslashes and hyphens escaped, no line taken for a request.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string page_title(const Command& command) {
  std::string title = command.path();
  std::replace(title.begin(), title.end(), ' ', '-');
  return title;
}

std::string entry(const std::string& heading, const std::string& text) {
  return ".TP\n.B " + escaped(heading) + "\n" + escaped(text) + "\n";
}

std::string options_section(const std::string& title, const Command& command, bool arguments) {
  std::string text;
  for (const Option& option : command.options()) {
    if (option.is_argument() == arguments && !option.is_hidden)
      text += entry(option_heading(option), option_help(option));
  }
  return text.empty() ? text : ".SH " + title + "\n" + text;
}

std::string commands_section(const Command& command) {
  std::string text;
  for (const Command& sub : command.commands()) {
    if (!sub.is_hidden()) text += entry(page_title(sub) + "(1)", sub.summary());
  }
  return text.empty() ? text : ".SH COMMANDS\n" + text;
}

std::string examples_section(const Command& command) {
  std::string text = ".SH EXAMPLES\n";
  for (const Example& example : command.examples()) {
    text += ".PP\n" + escaped(example.what) + ":\n.PP\n.RS 4\n.nf\n" + escaped(example.line) + "\n.fi\n.RE\n";
  }
  return text;
}

std::string exit_codes_section() {
  std::string text = ".SH EXIT STATUS\n";
  for (int code = 0; code <= static_cast<int>(ExitCode::kCloudUnreachable); ++code) {
    text += entry(std::to_string(code), std::string(describe(static_cast<ExitCode>(code))));
  }
  return text + ".PP\nWith \\fB\\-\\-output json\\fR a failure is a document on standard output: " +
         escaped("{\"schema\": 1, \"error\": {\"code\", \"message\", \"hint\"}}") + "\n";
}

std::string environment_section() {
  return ".SH ENVIRONMENT\n" + entry("MVCTL_CLOUD", "address of the cloud, instead of the context's") +
         entry("MVCTL_ACCOUNT", "account id, instead of the context's") +
         entry("MVCTL_TOKEN",
               "token, instead of the context's; there is no option for it, because command lines are public") +
         entry("MVCTL_WIFI_PASSPHRASE",
               "passphrase of the Wi-Fi network of a new device (--modem esp-at), if no file with it is given") +
         entry("MVCTL_CA", "PEM file with the authority that signs the cloud's certificate") +
         entry("NO_COLOR", "if set and not empty: no colours") + ".SH FILES\n" +
         entry("$XDG_CONFIG_HOME/mvctl/config.json", "contexts (mode 0600); ~/.config if the variable is not set") +
         entry("$XDG_CONFIG_HOME/mvctl/keys/", "keys by name, NAME.pem (mode 0600) and NAME.pub.pem");
}

std::string see_also_section(const Command& command) {
  if (command.parent() == nullptr) return {};
  return ".SH SEE ALSO\n.BR " + escaped(page_title(*command.parent())) + " (1)\n";
}

}  // namespace

std::string man_page_name(const Command& command) { return page_title(command) + ".1"; }

std::string man_page(const Command& command) {
  std::string upper = page_title(command);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::string text = ".\\\" Generated from the command tree by scripts/generate-docs: do not edit.\n";
  text += ".TH \"" + escaped(upper) + "\" 1 \"\" \"mvctl\" \"mvctl manual\"\n";
  text += ".SH NAME\n" + escaped(page_title(command)) + " \\- " + escaped(command.summary()) + "\n";
  text += ".SH SYNOPSIS\n.B " + escaped(usage_line(command)) + "\n";
  const std::string& description = command.description();
  text += ".SH DESCRIPTION\n" + escaped(description.empty() ? command.summary() : description) + "\n";
  text += commands_section(command) + options_section("ARGUMENTS", command, true) +
          options_section("OPTIONS", command, false);
  if (command.parent() == nullptr) {
    text += exit_codes_section() + environment_section();
  } else {
    text += ".PP\nThe options of every command, and the exit codes, are in \\fBmvctl\\fR(1).\n";
  }
  return text + examples_section(command) + see_also_section(command);
}

}  // namespace mv::cli
