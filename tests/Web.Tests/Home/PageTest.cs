using Bunit;
using Dashboard.Domain;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Logs;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Web.Layout;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Web.Tests;

/// <summary>A page for a member of a team, on a real database file that can be made to fail.</summary>
public abstract class PageTest : BunitContext, IAsyncLifetime
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("dashboard-pages-");
    private readonly Contexts _contexts;

    protected PageTest()
    {
        _contexts = new Contexts(EmptyDatabase.In(_data));
        Time.SetUtcNow(new DateTimeOffset(2026, 11, 23, 18, 4, 12, TimeSpan.Zero));
        Team = new Team { Id = new TeamId(Guid.NewGuid()), Name = "Halden Lab", Slug = "halden", CreatedAt = Time.GetUtcNow() };
        Member = ContextFor(Role.Owner);
        Database = new AppDatabase(_contexts);
        Services.AddSingleton(Database).AddSingleton<TimeProvider>(Time).AddSingleton(Feed).AddSingleton<LifecycleSignal>().AddSingleton(new DataDirectory(_data.FullName)).AddSingleton<MetricsStore>().AddPages();
        JSInterop.Mode = JSRuntimeMode.Loose;
    }

    protected FakeTimeProvider Time { get; } = new();

    internal ChangeFeed Feed { get; } = new();

    internal AppDatabase Database { get; }

    protected Team Team { get; }

    protected TeamContext Member { get; private set; }

    protected Guid Person { get; } = Guid.NewGuid();

    /// <summary>From now on every read fails, as when the disk is full.</summary>
    protected bool DatabaseFails { set => _contexts.Fails = value; }

    public async ValueTask InitializeAsync()
    {
        await using var db = await Database.ForSystemAsync(CancellationToken.None);
        db.Add(Team);
        db.Users.Add(new DashboardUser { Id = Person, UserName = "mira", DisplayName = "Mira Okafor" });
        await db.SaveChangesAsync();
    }

    public new async ValueTask DisposeAsync()
    {
        await DisposeComponentsAsync();
        await base.DisposeAsync();
        _data.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    protected void ReadAs(Role role) => Member = ContextFor(role);

    internal async Task SeedAsync(Action<TeamSeed> seed)
    {
        await using var db = await Database.ForSystemAsync(CancellationToken.None);
        seed(new TeamSeed(db, Team, Person, Time.GetUtcNow()));
        await db.SaveChangesAsync();
    }

    /// <param name="route">What the router would take from the address.</param>
    protected IRenderedComponent<TPage> Show<TPage>(string? address = null, params (string Name, object Value)[] route)
        where TPage : IComponent
    {
        if (address is not null)
        {
            Services.GetRequiredService<NavigationManager>().NavigateTo(address);
        }

        return Render<TPage>(page =>
        {
            page.AddCascadingValue(Member);
            foreach (var (name, value) in route)
            {
                page.TryAdd(name, value);
            }
        });
    }

    private TeamContext ContextFor(Role role) => TeamContext.Of(Team, new Membership { TeamId = Team.Id, UserId = new UserId(Person), Role = role, Since = Time.GetUtcNow() });

    private sealed class Contexts(DbContextOptions<AppDbContext> options) : IDbContextFactory<AppDbContext>
    {
        public bool Fails { get; set; }

        public AppDbContext CreateDbContext() => Fails ? throw new InvalidOperationException("database or disk is full") : new AppDbContext(options);
    }
}
