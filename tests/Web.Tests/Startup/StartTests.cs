using System.Diagnostics;
using System.Net;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Tests.Shared;
using Dashboard.Web.Startup;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;

namespace Dashboard.Web.Tests.Startup;

[Collection(OneServerAtATime.Name)]
public sealed class StartTests : IDisposable
{
    private readonly string _data = Path.Combine(Path.GetTempPath(), $"dashboard-{Guid.NewGuid():N}");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_is_ready_once_its_database_is_of_its_version()
    {
        await using var dashboard = await RunningDashboard.StartAsync();
        using var browser = dashboard.Browser();

        Assert.Equal("Healthy", await browser.GetStringAsync(new Uri("/health/ready", UriKind.Relative), Ct));
        Assert.Equal("Healthy", await browser.GetStringAsync(new Uri("/health/live", UriKind.Relative), Ct));
    }

    [Fact]
    public async Task A_second_process_on_the_same_data_directory_refuses_to_start_and_says_why()
    {
        await using var first = await RunningDashboard.StartAsync(("Data:Directory", _data));

        var start = new ProcessStartInfo("dotnet", [Repository.Built("Web", "Dashboard.Web.dll")]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["Data__Directory"] = _data;
        using var second = Process.Start(start)!;
        try
        {
            var said = await second.StandardError.ReadToEndAsync(Ct).WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Ct);
            await second.WaitForExitAsync(Ct);

            Assert.Equal(78, second.ExitCode);
            Assert.Contains($"another dashboard already runs on {_data}", said, StringComparison.Ordinal);
        }
        finally
        {
            if (!second.HasExited)
            {
                second.Kill();
            }
        }
    }

    [Fact]
    public async Task A_migration_lock_left_by_a_killed_process_cannot_hang_the_next_start()
    {
        await using (var first = await RunningDashboard.StartAsync(("Data:Directory", _data)))
        {
            await using var db = await first.Database.ForSystemAsync(Ct);
            await db.Database.ExecuteSqlRawAsync("""INSERT INTO "__EFMigrationsLock" ("Id", "Timestamp") VALUES (1, '2026-11-23 18:00:00')""", Ct);
        }

        await using var second = await RunningDashboard.StartAsync(("Data:Directory", _data)).WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, Ct);
    }

    [Fact]
    public async Task A_start_voids_the_leases_of_the_process_before_it()
    {
        await using (var first = await RunningDashboard.OwnedAsync(("Data:Directory", _data)))
        {
            await using var db = await first.Database.ForSystemAsync(Ct);
            var team = await db.Teams.SingleAsync(Ct);
            var seed = new TeamSeed(db, team, (await db.Users.SingleAsync(Ct)).Id, team.CreatedAt);
            var job = seed.Job(seed.Connection(TeamSeed.VastAi), "leased", Domain.Jobs.JobStatus.Paused); // paused: nothing takes it up by itself
            (job.LeaseOwner, job.LeaseUntil) = ("killed", team.CreatedAt.AddYears(1));
            await db.SaveChangesAsync(Ct);
        }

        await using var second = await RunningDashboard.StartAsync(("Data:Directory", _data));
        await using var after = await second.Database.ForSystemAsync(Ct);
        Assert.Null((await after.Jobs.SingleAsync(Ct)).LeaseOwner);
    }

    [Fact]
    public async Task An_installation_keeps_its_identity_towards_providers()
    {
        (string, byte[]) IdentityOf(RunningDashboard dashboard)
        {
            var identity = (InstallationIdentity)dashboard.App.Services.GetService(typeof(InstallationIdentity))!;
            return (identity.Label, identity.Secret);
        }

        (string Label, byte[] Secret) before;
        await using (var first = await RunningDashboard.StartAsync(("Data:Directory", _data)))
        {
            before = IdentityOf(first);
        }

        await using var second = await RunningDashboard.StartAsync(("Data:Directory", _data));
        var after = IdentityOf(second);
        Assert.Equal(before.Label, after.Item1);
        Assert.Equal(before.Secret, after.Item2);
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task Only_the_owner_of_the_process_may_read_the_key_ring_and_the_set_up_address()
    {
        await using var dashboard = await RunningDashboard.StartAsync();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(dashboard.Data, "keys")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(dashboard.Data, "setup-url")));
    }

    [Theory]
    [InlineData("PublicUrl", "gpu.example.org", "PublicUrl")]
    [InlineData("Database:Provider", "Oracle", "Database:Provider")]
    [InlineData("ConnectionStrings:Dashboard", "nonsense", "ConnectionStrings:Dashboard")]
    [InlineData("KeyRing:CertificatePath", "/no/such.pfx", "KeyRing:CertificatePath")]
    public void Wrong_configuration_stops_the_start_and_names_the_key(string key, string value, string named)
    {
        var fault = Assert.Throws<ConfigurationFault>(() => ServerSettings.Read(Configuration((key, value)), production: false));
        Assert.StartsWith(named + ": ", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void In_production_people_must_be_told_a_public_address() =>
        Assert.Equal("PublicUrl", Assert.Throws<ConfigurationFault>(() => ServerSettings.Read(Configuration(), production: true)).Key);

    [Theory]
    [InlineData("Bootstrap:Password", "")]
    [InlineData("Bootstrap:Password", "short")]
    [InlineData("Bootstrap:ApiToken", "too-short")]
    [InlineData("Bootstrap:Team", "")]
    public async Task Half_an_unattended_installation_refuses_to_start_and_names_the_key(string key, string value)
    {
        var fault = await Assert.ThrowsAsync<ConfigurationFault>(() => RunningDashboard.OwnedAsync((key, value), ("Data:Directory", _data)));
        Assert.Equal(key, fault.Key);
    }

    [Fact]
    public async Task An_unattended_installation_has_an_owner_and_no_set_up()
    {
        await using var dashboard = await RunningDashboard.OwnedAsync();
        using var browser = dashboard.Browser();

        using var setUp = await browser.GetAsync(new Uri("/setup", UriKind.Relative), Ct);
        Assert.Equal(HttpStatusCode.NotFound, setUp.StatusCode);
        Assert.False(File.Exists(Path.Combine(dashboard.Data, "setup-url")));
        using var signedIn = await dashboard.SignedInAsync();
    }

    public void Dispose()
    {
        if (Directory.Exists(_data))
        {
            Directory.Delete(_data, recursive: true);
        }
    }

    private static IConfiguration Configuration(params (string Key, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(s => s.Key, s => (string?)s.Value)).Build();
}
