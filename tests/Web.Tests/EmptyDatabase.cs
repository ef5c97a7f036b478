using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Tests;

/// <summary>The tables without rows, made once and copied into every test's own file.</summary>
internal static class EmptyDatabase
{
    private static readonly Lazy<byte[]> Tables = new(Make);

    /// <summary>A database file of its own in <paramref name="folder"/>, open to several contexts at once as in production.</summary>
    public static DbContextOptions<AppDbContext> In(DirectoryInfo folder)
    {
        var file = Path.Join(folder.FullName, "app.db");
        File.WriteAllBytes(file, Tables.Value);
        return Options(file);
    }

    private static byte[] Make()
    {
        var folder = Directory.CreateTempSubdirectory("dashboard-tables-");
        var file = Path.Join(folder.FullName, "app.db");
        using (var db = new AppDbContext(Options(file)))
        {
            db.Database.EnsureCreated(); // in write-ahead mode, as in production; whoever closes it last leaves all of it in the one file
        }

        var tables = File.ReadAllBytes(file);
        folder.Delete(recursive: true);
        return tables;
    }

    private static DbContextOptions<AppDbContext> Options(string file) =>
        new DbContextOptionsBuilder<AppDbContext>().UseDashboardSqlite($"Data Source={file};Pooling=False").Options;
}
