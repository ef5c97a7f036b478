using System.Diagnostics;
using System.Security.Claims;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Features.Site;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Startup;

/// <summary>A database that may have lost something, or may not be the only one of its kind, is noticed when the server starts.</summary>
[Collection(OneServerAtATime.Name)]
public sealed class QuarantineTests : IDisposable
{
    private readonly string _data = Path.Combine(Path.GetTempPath(), $"dashboard-{Guid.NewGuid():N}");
    private readonly string _other = Path.Combine(Path.GetTempPath(), $"dashboard-{Guid.NewGuid():N}");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_that_starts_again_on_its_own_data_is_not_in_quarantine()
    {
        await StartAndStopAsync(_data);
        await StartAndStopAsync(_data);

        Assert.Null(await QuarantineAsync(_data));
    }

    [Fact]
    public async Task An_older_copy_of_the_database_put_back_is_noticed()
    {
        await StartAndStopAsync(_data);
        var copy = await File.ReadAllBytesAsync(Path.Combine(_data, "dashboard.db"), Ct);
        await StartAndStopAsync(_data);
        await File.WriteAllBytesAsync(Path.Combine(_data, "dashboard.db"), copy, Ct); // into the same file: only what is in it tells

        Assert.Contains("older copy", await QuarantineAsync(_data), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_copy_from_before_a_rent_is_noticed_even_within_one_run()
    {
        await using (var dashboard = await RunningDashboard.StartAsync(("Data:Directory", _data)))
        {
            await dashboard.App.Services.GetRequiredService<Quarantine>().NoteRentAsync(TimeProvider.System.GetUtcNow(), Ct); // of a row that this database has not
        }

        Assert.Contains("older copy", await QuarantineAsync(_data), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_copy_of_the_whole_data_directory_is_noticed_and_the_original_is_not()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The number of a file is read from /proc.");
        await StartAndStopAsync(_data);
        await StartAndStopAsync(_data); // the number of the database's file is known from its second start on
        using (var copying = Process.Start("cp", ["-a", _data, _other]))
        {
            await copying.WaitForExitAsync(Ct);
        }

        Assert.Contains("is a copy", await QuarantineAsync(_other), StringComparison.Ordinal);
        Assert.Null(await QuarantineAsync(_data));
    }

    [Fact]
    public async Task A_database_without_the_file_beside_it_is_noticed()
    {
        await StartAndStopAsync(_data);
        File.Delete(Path.Combine(_data, "installation.json"));

        Assert.Contains("another data directory", await QuarantineAsync(_data), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_database_in_a_directory_that_has_rented_before_is_noticed()
    {
        await StartAndStopAsync(_data);
        foreach (var file in Directory.GetFiles(_data, "dashboard.db*"))
        {
            File.Delete(file);
        }

        Assert.Contains("belonged to installation", await QuarantineAsync(_data), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_lasts_over_restarts_is_said_on_every_page_and_in_the_inbox_and_only_a_site_administrator_ends_it()
    {
        await using (var first = await RunningDashboard.OwnedAsync(("Data:Directory", _data)))
        {
        }

        File.Delete(Path.Combine(_data, "installation.json"));
        Assert.NotNull(await QuarantineAsync(_data));

        await using (var dashboard = await RunningDashboard.StartAsync(("Data:Directory", _data)))
        {
            using var browser = dashboard.Browser();
            Assert.Contains("In quarantine", await browser.GetStringAsync(new Uri("/sign-in", UriKind.Relative), Ct), StringComparison.Ordinal);
            await using var db = await dashboard.Database.ForSystemAsync(Ct);
            Assert.Single(db.Inbox, item => item.Kind == "quarantine" && item.ResolvedAt == null);

            var confirm = dashboard.App.Services.GetRequiredService<ConfirmInstallation>();
            await Assert.ThrowsAsync<UnauthorizedAccessException>(() => confirm.RunAsync(Person(Guid.NewGuid()), destroyUnknown: true, Ct));
            Assert.NotNull(dashboard.App.Services.GetRequiredService<RentBan>().Why);

            Assert.True(await confirm.RunAsync(Person((await db.Users.SingleAsync(Ct)).Id), destroyUnknown: false, Ct));
            Assert.Null(dashboard.App.Services.GetRequiredService<RentBan>().Why);
            Assert.DoesNotContain("In quarantine", await browser.GetStringAsync(new Uri("/sign-in", UriKind.Relative), Ct), StringComparison.Ordinal);
        }

        Assert.Null(await QuarantineAsync(_data));
    }

    public void Dispose()
    {
        foreach (var directory in (string[])[_data, _other])
        {
            if (Directory.Exists(directory))
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    private static ClaimsPrincipal Person(Guid id) => new(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, id.ToString())], "test"));

    private static async Task StartAndStopAsync(string data)
    {
        await using var dashboard = await RunningDashboard.StartAsync(("Data:Directory", data));
    }

    /// <summary>Starts once more and says why it is in quarantine; null when it is not.</summary>
    private static async Task<string?> QuarantineAsync(string data)
    {
        await using var dashboard = await RunningDashboard.StartAsync(("Data:Directory", data));
        return dashboard.App.Services.GetRequiredService<RentBan>().Quarantine;
    }
}
