namespace Dashboard.Tests.Shared;

/// <summary>Where this clone lies, seen from a test's output folder.</summary>
public static class Repository
{
    /// <summary>The folder of <c>Dashboard.sln</c>.</summary>
    public static string Root { get; } = Find();

    /// <summary>The built assembly of a project under <c>src</c>, in the configuration the tests run in.</summary>
    /// <exception cref="FileNotFoundException">It is not built; the test project has to reference it.</exception>
    public static string Built(string project, string assembly)
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        var path = Path.Combine(Root, "src", project, "bin", output.Parent!.Name, output.Name, assembly);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{project} is not built.", path);
    }

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Dashboard.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("The tests do not run inside a clone.");
    }
}
