using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Tests;
using Dashboard.Web.Startup;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Web.Tests.Startup;

/// <summary>The whole server on a real port with a data directory of its own, as <c>Program</c> starts it, without the sandbox.</summary>
internal sealed partial class RunningDashboard : IAsyncDisposable
{
    public const string Email = "mira@example.org";
    public const string Password = "correct horse battery";
    public const string Slug = "halden-lab";
    public const string ApiToken = "0123456789abcdef0123456789abcdef";

    private readonly DataDirectoryLock _held;
    private readonly bool _ownsData;

    private RunningDashboard(WebApplication app, DataDirectoryLock held, string data, bool ownsData)
    {
        (App, _held, Data, _ownsData) = (app, held, data, ownsData);
        var bound = BindingAddress.Parse(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Address = new Uri($"http://localhost:{bound.Port}");
    }

    public WebApplication App { get; }

    public Uri Address { get; }

    public string Data { get; }

    public string SetUpUrl => File.ReadAllText(Path.Combine(Data, "setup-url")).Trim();

    public AppDatabase Database => App.Services.GetRequiredService<AppDatabase>();

    /// <summary>With the first owner, team and API token already made.</summary>
    public static Task<RunningDashboard> OwnedAsync(params (string Key, string Value)[] settings) =>
        StartAsync([("Bootstrap:Email", Email), ("Bootstrap:Password", Password), ("Bootstrap:Team", "Halden Lab"), ("Bootstrap:ApiToken", ApiToken), .. settings]);

    public static async Task<RunningDashboard> StartAsync(params (string Key, string Value)[] settings)
    {
        var given = Array.Find(settings, s => s.Key == "Data:Directory").Value;
        var data = given ?? Path.Combine(Path.GetTempPath(), $"dashboard-{Guid.NewGuid():N}");
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, EnvironmentName = "Development" });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["urls"] = "http://127.0.0.1:0",
            ["Data:Directory"] = data,
            ["Sandbox:Enabled"] = "false",
            ["Logging:LogLevel:Default"] = "Error",
        });
        foreach (var (key, value) in settings)
        {
            builder.Configuration[key] = value; // of two, the later one
        }

        var read = ServerSettings.Read(builder.Configuration, production: false);
        var held = DataDirectoryLock.Take(read.DataDirectory);
        try
        {
            if (given is null)
            {
                await MigratedDatabase.CopyToAsync(Path.Combine(data, "dashboard.db"));
            }

            var app = await DashboardApp.OpenAsync(builder, read, CancellationToken.None);
            await app.StartAsync();
            return new RunningDashboard(app, held, data, ownsData: given is null);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>A browser: keeps cookies, follows nothing by itself.</summary>
    public HttpClient Browser() => new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = Address };

    public async Task<HttpClient> SignedInAsync()
    {
        var browser = Browser();
        using var answer = await SubmitFormAsync(browser, "/sign-in", ("Who.Email", Email), ("Who.Password", Password));
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return browser;
    }

    public HttpClient Api(string? token = ApiToken)
    {
        var client = new HttpClient { BaseAddress = Address };
        client.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    /// <summary>Fills in the form that a page shows and sends it, hidden fields included.</summary>
    public static async Task<HttpResponseMessage> SubmitFormAsync(HttpClient browser, string address, params (string Name, string Value)[] fields)
    {
        var page = await browser.GetStringAsync(new Uri(address, UriKind.RelativeOrAbsolute));
        var hidden = HiddenField().Matches(page).Select(m => (m.Groups[1].Value, WebUtility.HtmlDecode(m.Groups[2].Value)));
        using var form = new FormUrlEncodedContent(hidden.Concat(fields).Select(f => KeyValuePair.Create(f.Item1, f.Item2)));
        return await browser.PostAsync(new Uri(address, UriKind.RelativeOrAbsolute), form);
    }

    public async ValueTask DisposeAsync()
    {
        await App.StopAsync();
        await App.DisposeAsync();
        _held.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        if (_ownsData)
        {
            Directory.Delete(Data, recursive: true);
        }
    }

    [GeneratedRegex("""<input type="hidden" name="([^"]+)" value="([^"]*)" />""")]
    private static partial Regex HiddenField();
}
