using Microsoft.Playwright;

namespace Dashboard.EndToEnd.Harness;

/// <summary>The system's Chromium, driven. Playwright's own browsers are not used and never downloaded.</summary>
internal sealed class BrowserSession : IAsyncDisposable
{
    // The first draws no windows around the pages, for a third of the processor.
    private static readonly string[] Places = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-quic", "--disable-component-update", "--disable-sync",
    ];

    private const float Patience = 30_000; // ms: a busy computer is not a failure

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private BrowserSession(IPlaywright playwright, IBrowser browser, IPage page) => (_playwright, _browser, Page) = (playwright, browser, page);

    public IPage Page { get; }

    /// <summary>Complaints of the pages' own scripts, and requests to anywhere but this computer.</summary>
    public List<string> Complaints { get; } = [];

    public static async Task<BrowserSession> OpenAsync(int width = 1440, int height = 900, ColorScheme colors = ColorScheme.Light)
    {
        var chromium = Array.Find(Places, File.Exists) ?? throw new InvalidOperationException("The browser suite needs the Debian package chromium-headless-shell or chromium.");
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = chromium, Args = Arguments });
        var context = await browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height },
            ColorScheme = colors,
            ReducedMotion = ReducedMotion.Reduce, // a dot that pulses is drawn sixty times a second, by the processor here
            AcceptDownloads = true,
            TimezoneId = "Europe/Oslo",
            Locale = "en-GB",
        });
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(Patience);
        Assertions.SetDefaultExpectTimeout(Patience);
        var session = new BrowserSession(playwright, browser, page);
        page.PageError += (_, error) => session.Complaints.Add(error);
        page.Request += (_, request) =>
        {
            if (new Uri(request.Url) is { IsLoopback: false, Scheme: "http" or "https" } elsewhere)
            {
                session.Complaints.Add($"asked {elsewhere.Host}");
            }
        };
        return session;
    }

    public Task SignInAsync(World world, CancellationToken ct) => SignInAsync(world.Server, ct);

    public async Task SignInAsync(ServerProcess server, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        await Page.GotoAsync($"{server.BaseUrl}/sign-in");
        await Page.GetByLabel("E-mail").FillAsync(World.Email);
        await Page.GetByLabel("Password").FillAsync(World.Password);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await Page.WaitForURLAsync($"**/t/{World.Slug}**");
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Evidence.PathOf("last-page.png"), Timeout = 5_000 });
        }
        catch (TimeoutException)
        {
            // A crowded computer: what the test found is worth more than its last picture.
        }

        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
