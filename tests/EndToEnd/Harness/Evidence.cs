using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd.Harness;

/// <summary>What is kept of each test's last run, to see why it failed: <c>TestResults/e2e/{test}/</c>.</summary>
internal static class Evidence
{
    public static string PathOf(string name)
    {
        var test = TestContext.Current.TestMethod?.TestClass.TestClassSimpleName ?? "unknown";
        return Path.Combine(Directory.CreateDirectory(Path.Combine(Repository.Root, "TestResults", "e2e", test)).FullName, name);
    }

    public static Task KeepAsync(string name, string text) => File.WriteAllTextAsync(PathOf(name), text);
}
