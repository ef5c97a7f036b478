using Dashboard.Domain;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Secrets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Simulation.Harness;

/// <summary>A database as the product makes it, with one team, one project and one connection: made once, copied for each world.</summary>
internal static class TemplateDatabase
{
    public static readonly TeamId Team = new(new Guid("7ea30000-0000-0000-0000-000000000001"));
    public static readonly ProjectId Project = new(new Guid("7ea30000-0000-0000-0000-000000000002"));
    public static readonly ConnectionId Connection = new(new Guid("7ea30000-0000-0000-0000-000000000003"));

    /// <summary>One ring for all worlds: what the template encrypted, every world can read.</summary>
    public static readonly IDataProtectionProvider Ring = new EphemeralDataProtectionProvider();

    private static readonly ServiceProvider Identity = new ServiceCollection()
        .Configure<IdentityOptions>(identity => identity.Stores.SchemaVersion = AppDbContext.IdentityShape)
        .BuildServiceProvider();

    private static readonly Lazy<byte[]> Bytes = new(Make);

    /// <summary>Where worlds live: in memory where the system offers it, since a power cut is not among the faults here.</summary>
    public static string Folder { get; } = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();

    public static void CopyTo(string path) => File.WriteAllBytes(path, Bytes.Value);

    public static SqliteConnection Open(string path)
    {
        var connection = new SqliteConnection($"Data Source={path};Pooling=False;Default Timeout=5");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA foreign_keys=ON; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY; PRAGMA journal_mode=MEMORY;"; // whoever is killed closes, which rolls back
        command.ExecuteNonQuery();
        return connection;
    }

    public static DbContextOptionsBuilder<AppDbContext> Options(SqliteConnection connection) =>
        new DbContextOptionsBuilder<AppDbContext>().UseDashboardSqlite(connection).UseApplicationServiceProvider(Identity);

    private static byte[] Make()
    {
        var path = Path.Combine(Folder, $"simulation-template-{Guid.NewGuid():N}.db");
        try
        {
            using (var connection = Open(path))
            {
                Fill(new AppDatabase(new OneConnection(Options(connection).Options)));
                using var command = connection.CreateCommand();
                command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE; VACUUM;";
                command.ExecuteNonQuery();
            }

            return File.ReadAllBytes(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Fill(AppDatabase database)
    {
        new DatabaseStart(database, new DataDirectory(Folder), TimeProvider.System).RunAsync(default).GetAwaiter().GetResult();
        new InstallationIdentity(database, Ring, TimeProvider.System).OpenAsync(default).GetAwaiter().GetResult();
        using var db = database.ForSystemAsync(default).GetAwaiter().GetResult();
        db.Teams.Add(new Team { Id = Team, Name = "Halden Lab", Slug = "halden-lab", CreatedAt = World.Opening });
        db.Projects.Add(new Project { Id = Project, TeamId = Team, Name = "general", CreatedAt = World.Opening });
        db.Connections.Add(new Connection
        {
            Id = Connection,
            TeamId = Team,
            Market = new Market(Domain.Marketplaces.Provider.VastAi, "http://market.invalid", Simulated: true),
            Name = "Sandbox",
            ProtectedKey = new CredentialVault(Ring).Protect(Team, Connection, new Domain.Marketplaces.Secret("simulated")),
            KeyEnding = "ated",
            AccountId = "314159",
            AccountName = "sandbox",
            Status = ConnectionStatus.Works,
            CreatedAt = World.Opening,
        });
        db.SaveChanges();
    }

    private sealed class OneConnection(DbContextOptions<AppDbContext> options) : IDbContextFactory<AppDbContext>
    {
        public AppDbContext CreateDbContext() => new(options);
    }
}
