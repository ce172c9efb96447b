// Runs a fuzz target over every file below the given directories; for compilers without libFuzzer.

#include "fuzz.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

int main(int count, char **directories)
{
    std::size_t files = 0;
    for (int i = 1; i < count; ++i)
        for (const auto &entry : std::filesystem::recursive_directory_iterator{directories[i]}) {
            if (!entry.is_regular_file())
                continue;
            std::ifstream file{entry.path(), std::ios::binary};
            const std::vector<char> content{std::istreambuf_iterator<char>{file}, {}};
            LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t *>(content.data()), content.size());
            ++files;
        }
    std::printf("%zu files replayed\n", files);
    return files == 0 ? 1 : 0;
}
