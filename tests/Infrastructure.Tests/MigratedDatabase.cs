using Dashboard.Infrastructure.Persistence;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Infrastructure.Tests;

/// <summary>The tables as the product's own start makes them, without rows: made once, copied into every test's own folder.</summary>
internal static class MigratedDatabase
{
    private static readonly Lazy<Task<byte[]>> Tables = new(MakeAsync);

    /// <param name="path">Where the database file of a test is to be; there is none yet.</param>
    public static async Task CopyToAsync(string path) => await File.WriteAllBytesAsync(path, await Tables.Value);

    private static async Task<byte[]> MakeAsync()
    {
        var folder = Directory.CreateTempSubdirectory("migrated-");
        var path = Path.Combine(folder.FullName, "dashboard.db");
        await using (var services = new ServiceCollection()
            .AddLogging()
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataDirectory(folder.FullName))
            .AddPersistence($"Data Source={path};Pooling=False") // its last connection takes the write-ahead log into the one file
            .BuildServiceProvider())
        {
            await services.GetRequiredService<DatabaseStart>().RunAsync(default);
        }

        var tables = await File.ReadAllBytesAsync(path);
        folder.Delete(recursive: true);
        return tables;
    }
}
