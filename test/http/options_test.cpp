// The command line and the environment, and the program that they start.

#include "support.hpp"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

namespace gravitas::telemetry::http::test {

namespace {

std::optional<std::string> nothing(const char *) { return std::nullopt; }

std::string complaint(const std::vector<std::string> &arguments, Environment environment = nothing)
{
    try {
        check_options(read_options(arguments, environment).options);
        return {};
    } catch (const UsageError &error) {
        return error.what();
    }
}

class TokenFile {
public:
    explicit TokenFile(const std::string &content) : path_(directory_.path() + "/token")
    {
        std::ofstream(path_) << content;
    }
    [[nodiscard]] const std::string &path() const { return path_; }

private:
    TemporaryDirectory directory_;
    std::string path_;
};

// The program itself, with its output.
class Program {
public:
    explicit Program(const std::vector<std::string> &arguments)
    {
        int pipe_ends[2];
        if (pipe(pipe_ends) != 0)
            throw std::runtime_error("no pipe");
        process_ = fork();
        if (process_ == 0) {
            dup2(pipe_ends[1], STDOUT_FILENO);
            dup2(pipe_ends[1], STDERR_FILENO);
            std::vector<char *> values{const_cast<char *>("gravitas-telemetry-http")};
            for (const std::string &argument : arguments)
                values.push_back(const_cast<char *>(argument.c_str()));
            values.push_back(nullptr);
            execv("build/http/gravitas-telemetry-http", values.data());
            _exit(127);
        }
        close(pipe_ends[1]);
        output_ = fdopen(pipe_ends[0], "r");
    }
    ~Program()
    {
        std::fclose(output_);
        if (process_ > 0) {
            kill(process_, SIGKILL);
            waitpid(process_, nullptr, 0);
        }
    }
    Program(const Program &) = delete;
    Program &operator=(const Program &) = delete;

    std::string line()
    {
        char text[4096];
        return std::fgets(text, sizeof text, output_) != nullptr ? text : "";
    }
    void signal(int number) const { kill(process_, number); }
    int exit_status()
    {
        int status = 0;
        waitpid(process_, &status, 0);
        process_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

private:
    pid_t process_;
    FILE *output_;
};

} // namespace

TEST(Options, come_from_the_command_line_then_the_environment)
{
    const Environment environment = [](const char *name) -> std::optional<std::string> {
        if (std::string_view(name) == "GRAVITAS_HTTP_PORT")
            return "1234";
        if (std::string_view(name) == "GRAVITAS_HTTP_ALLOW_HOST")
            return "a.example,b.example";
        return std::nullopt;
    };
    const Options options = read_options({"--connections=7", "--statement-timeout", "250", "--allow-host", "c.example",
                                          "--conninfo", "dbname=x"},
                                         environment)
                                .options;
    EXPECT_EQ(options.port, 1234);
    EXPECT_EQ(options.connections, 7);
    EXPECT_EQ(options.statement_timeout, 250ms);
    EXPECT_EQ(options.conninfo, "dbname=x");
    EXPECT_EQ(options.allowed_hosts, (std::vector<std::string>{"a.example", "b.example", "c.example"}));
    EXPECT_EQ(options.listen, "127.0.0.1");
    EXPECT_EQ(read_options({"--port", "1"}, environment).options.port, 1);
    EXPECT_EQ(read_options({}, nothing).options.port, 9464);
}

TEST(Options, that_make_no_sense_are_named)
{
    EXPECT_EQ(complaint({}), "");
    for (const char *const argument :
         {"--port=x", "--port=-1", "--port=65536", "--port=", "--connections=0", "--connections=101",
          "--statement-timeout=9", "--nonsense", "stray", "--token-file=/nowhere"})
        EXPECT_NE(complaint({argument}), "") << argument;
    EXPECT_NE(complaint({"--port"}).find("needs a value"), std::string::npos);
    EXPECT_NE(complaint({"--listen", "example.org"}).find("numeric"), std::string::npos);
}

TEST(Options, for_others_need_a_token)
{
    const TokenFile token("0123456789abcdef\n");
    for (const char *const address : {"0.0.0.0", "::", "192.0.2.1"}) {
        EXPECT_NE(complaint({"--listen", address}).find("--token-file"), std::string::npos) << address;
        EXPECT_EQ(complaint({"--listen", address, "--token-file", token.path()}), "") << address;
    }
    for (const char *const address : {"127.0.0.1", "127.1.2.3", "::1"})
        EXPECT_EQ(complaint({"--listen", address}), "") << address;
    EXPECT_NE(complaint({"--enable-log"}).find("--token-file"), std::string::npos);
    EXPECT_EQ(complaint({"--enable-log", "--token-file", token.path()}), "");
    EXPECT_EQ(read_options({"--token-file", token.path()}, nothing).options.token, "0123456789abcdef");
    EXPECT_NE(complaint({"--token-file", TokenFile("short").path()}), "");
    EXPECT_NE(complaint({"--token-file", TokenFile("0123456789abcdef with spaces").path()}), "");
}

TEST(Program, serves_until_it_is_told_to_stop)
{
    const Database database;
    for (const int signal : {SIGTERM, SIGINT}) {
        Program program({"--port", "0", "--conninfo", database.conninfo()});
        const std::string line = program.line();
        const std::string start = "serving on http://127.0.0.1:";
        ASSERT_TRUE(line.starts_with(start)) << line;
        Caller caller(std::stoi(line.substr(start.size())));
        caller.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        EXPECT_EQ(caller.receive().status, 200);
        program.signal(signal);
        EXPECT_EQ(program.exit_status(), 0);
    }
}

TEST(Program, says_what_it_can_do_and_what_is_wrong)
{
    Program help({"--help"});
    EXPECT_NE(help.line().find("usage"), std::string::npos);
    EXPECT_EQ(help.exit_status(), 0);
    Program version({"--version"});
    EXPECT_TRUE(version.line().starts_with("gravitas-telemetry-http "));
    EXPECT_EQ(version.exit_status(), 0);
    Program wrong({"--listen", "0.0.0.0"});
    EXPECT_NE(wrong.line().find("--token-file"), std::string::npos);
    EXPECT_EQ(wrong.exit_status(), 2);
}

// Twice the same port.
TEST(Program, ends_where_it_cannot_listen)
{
    const Database database;
    const Service service(options_for(database));
    Program program({"--port", std::to_string(service.port())});
    EXPECT_NE(program.line().find("cannot listen on 127.0.0.1"), std::string::npos);
    EXPECT_EQ(program.exit_status(), 1);
}

} // namespace gravitas::telemetry::http::test
